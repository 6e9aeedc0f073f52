package photos

import (
	"context"
	"image"
	"math"

	"golang.org/x/image/draw"
)

// fit returns a picture on white with its longer side at most longest. The
// kernels of x/image/draw would take 32 bytes for each pixel of a column of the
// result times a row of the picture, hundreds of MB for a large one. Averaging
// whole blocks first needs next to none, and what is left to do, by a factor
// below two, its bilinear scaler does well and without.
func fit(ctx context.Context, img image.Image, longest int) (*image.RGBA, error) {
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	out, err := reduce(ctx, img, max(1, max(w, h)/longest))
	if err != nil {
		return nil, err
	}
	if scale := float64(longest) / float64(max(w, h)); scale < 1 {
		w = max(1, int(math.Round(float64(w)*scale)))
		h = max(1, int(math.Round(float64(h)*scale)))
	}
	if out.Bounds().Dx() == w && out.Bounds().Dy() == h {
		return out, nil
	}
	scaled := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.ApproxBiLinear.Scale(scaled, scaled.Bounds(), out, out.Bounds(), draw.Src, nil)
	return scaled, ctx.Err()
}

// reduce returns a picture on white, made k times smaller by averaging blocks of
// about k × k pixels, a band of rows at a time.
func reduce(ctx context.Context, img image.Image, k int) (*image.RGBA, error) {
	from := img.Bounds()
	out := image.NewRGBA(image.Rect(0, 0, max(1, from.Dx()/k), max(1, from.Dy()/k)))
	w, h := out.Bounds().Dx(), out.Bounds().Dy()
	band := image.NewRGBA(image.Rect(0, 0, from.Dx(), from.Dy()/h+1))
	for y := range h {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		top, bottom := y*from.Dy()/h, (y+1)*from.Dy()/h
		rows := image.Rect(0, 0, from.Dx(), bottom-top)
		draw.Draw(band, rows, image.White, image.Point{}, draw.Src)
		draw.Draw(band, rows, img, from.Min.Add(image.Pt(0, top)), draw.Over)
		for x := range w {
			left, right := x*from.Dx()/w, (x+1)*from.Dx()/w
			var r, g, b int
			for row := range bottom - top {
				p := band.Pix[row*band.Stride+4*left : row*band.Stride+4*right]
				for i := 0; i < len(p); i += 4 {
					r, g, b = r+int(p[i]), g+int(p[i+1]), b+int(p[i+2])
				}
			}
			n := (bottom - top) * (right - left)
			at := out.Pix[y*out.Stride+4*x:]
			at[0], at[1], at[2], at[3] = byte((r+n/2)/n), byte((g+n/2)/n), byte((b+n/2)/n), 255
		}
	}
	return out, nil
}

// upright turns a picture as its EXIF orientation, 1 to 8, says that it has to be
// shown.
func upright(img *image.RGBA, orientation int) *image.RGBA {
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	var from func(x, y int) (int, int)
	switch orientation {
	case 2: // mirrored
		from = func(x, y int) (int, int) { return w - 1 - x, y }
	case 3: // upside down
		from = func(x, y int) (int, int) { return w - 1 - x, h - 1 - y }
	case 4: // mirrored and upside down
		from = func(x, y int) (int, int) { return x, h - 1 - y }
	case 5: // its rows are columns
		from = func(x, y int) (int, int) { return y, x }
	case 6: // to be turned right
		from = func(x, y int) (int, int) { return y, h - 1 - x }
	case 7: // to be turned right and mirrored
		from = func(x, y int) (int, int) { return w - 1 - y, h - 1 - x }
	case 8: // to be turned left
		from = func(x, y int) (int, int) { return w - 1 - y, x }
	default:
		return img
	}
	bounds := image.Rect(0, 0, w, h)
	if orientation >= 5 {
		bounds = image.Rect(0, 0, h, w)
	}
	out := image.NewRGBA(bounds)
	for y := range bounds.Dy() {
		for x := range bounds.Dx() {
			sx, sy := from(x, y)
			copy(out.Pix[out.PixOffset(x, y):][:4], img.Pix[img.PixOffset(sx, sy):])
		}
	}
	return out
}
