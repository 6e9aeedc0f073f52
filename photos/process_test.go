package photos

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/color/palette"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"qingfu/directory"
)

// The colours of the test pictures, by their quarters.
var (
	red    = color.RGBA{255, 0, 0, 255}
	green  = color.RGBA{0, 255, 0, 255}
	blue   = color.RGBA{0, 0, 255, 255}
	yellow = color.RGBA{255, 255, 0, 255}
	white  = color.RGBA{255, 255, 255, 255}
)

// quarters is a picture whose quarters are red and green above blue and yellow.
func quarters(w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for i, c := range []color.RGBA{red, green, blue, yellow} {
		x, y := i%2*w/2, i/2*h/2
		draw.Draw(img, image.Rect(x, y, x+w/2, y+h/2), image.NewUniform(c), image.Point{}, draw.Src)
	}
	return img
}

func encodeJPEG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func encodePNG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Pictures like quarters(16, 8), made with libwebp; of the last one the red
// quarter is transparent.
var (
	losslessWebP    = unbase64("UklGRjYAAABXRUJQVlA4TCkAAAAvD8ABAB8gEEjaH3qN+RcQFPk/2vwHXySAMNtokpOc5P2OIaL/semH+gA=")
	lossyWebP       = unbase64("UklGRmYAAABXRUJQVlA4IFoAAAAQBACdASoQAAgAAMASJagCdLoB+AH4gTAD+AfiBd/92Af0AGC4LPgSIAD+/ZwXxYr99XP/mI2an/3Zp+/Xg/x/ki+mm/9aOf+sYP/xmWp9kGzmw0MlPDagAAA=")
	transparentWebP = unbase64("UklGRpIAAABXRUJQVlA4WAoAAAAQAAAADwAABwAAQUxQSBYAAAABDzD/ERFCQdoGzPyb/vMQ0f8JANcHVlA4IFYAAAAQBACdASoQAAgAAMASJagCdLoB+AH4gTAD+AfiBd/92Af0AGC4MgZMAAD+/8pO+Rtv/m4I//3Zp+/Xg/x/ki+mm/9aOf+sYP/xmWp9kGzmw0MlPDagAA==")
)

func unbase64(s string) []byte {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

// secret is what must not be found in any output.
const secret = "36.6232N,101.7782E"

// exifBlock is an EXIF block with an orientation and a position.
func exifBlock(order binary.AppendByteOrder, orientation int) []byte {
	mark := "MM\x00*"
	if order == binary.AppendByteOrder(binary.LittleEndian) {
		mark = "II*\x00"
	}
	b := order.AppendUint32([]byte(mark), 8)
	b = order.AppendUint16(b, 3)
	entry := func(tag, kind uint16, count, value uint32) {
		b = order.AppendUint16(order.AppendUint16(b, tag), kind)
		b = order.AppendUint32(b, count)
		if kind == 3 {
			b = order.AppendUint16(order.AppendUint16(b, uint16(value)), 0)
		} else {
			b = order.AppendUint32(b, value)
		}
	}
	const end = 8 + 2 + 3*12 + 4
	entry(0x010f, 2, uint32(len(secret)), end) // the maker
	entry(0x0112, 3, 1, uint32(orientation))
	entry(0x8825, 4, 1, end) // the position
	b = order.AppendUint32(b, 0)
	return append(b, secret...)
}

// segment is a segment of a JPEG file.
func segment(marker byte, content string) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(2+len(content))), content...)
}

// addSegments puts segments behind the start of a JPEG file.
func addSegments(file []byte, segments ...[]byte) []byte {
	return append(append([]byte{0xff, 0xd8}, bytes.Join(segments, nil)...), file[2:]...)
}

// chunk is a chunk of a PNG file.
func chunk(kind, content string) []byte {
	b := append(binary.BigEndian.AppendUint32(nil, uint32(len(content))), kind+content...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

// addChunks puts chunks behind the header of a PNG file.
func addChunks(file []byte, chunks ...[]byte) []byte {
	const header = 8 + 12 + 13
	return append(append(bytes.Clone(file[:header]), bytes.Join(chunks, nil)...), file[header:]...)
}

// riff is a WebP file of chunks given by their names and contents.
func riff(chunks ...string) []byte {
	b := []byte("WEBP")
	for i := 0; i < len(chunks); i += 2 {
		b = append(b, chunks[i]...)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(chunks[i+1])))
		b = append(b, chunks[i+1]...)
		if len(chunks[i+1])%2 == 1 {
			b = append(b, 0)
		}
	}
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(b))), b...)
}

// extended is the chunk before all others of an extended WebP file.
func extended(flags byte, w, h int) string {
	return string([]byte{flags, 0, 0, 0, byte(w - 1), byte((w - 1) >> 8), byte((w - 1) >> 16), byte(h - 1), byte((h - 1) >> 8), byte((h - 1) >> 16)})
}

// process makes a photo of what has to be good, and looks at what always holds.
func process(t testing.TB, data []byte) (*Photo, map[string]image.Image) {
	t.Helper()
	p, err := Process(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	return p, inspect(t, p)
}

// inspect checks a photo and returns its pictures.
func inspect(t testing.TB, p *Photo) map[string]image.Image {
	t.Helper()
	if sum := sha256.Sum256(p.JPEGs["large"]); p.ID != hex.EncodeToString(sum[:]) {
		t.Errorf("the id is %s", p.ID)
	}
	if len(p.JPEGs) != 3 {
		t.Fatalf("%d pictures", len(p.JPEGs))
	}
	pictures := map[string]image.Image{}
	for _, size := range Sizes {
		data := p.JPEGs[size.Name]
		img, err := jpeg.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		pictures[size.Name] = img
		w, h := img.Bounds().Dx(), img.Bounds().Dy()
		if max(w, h) != min(size.Longest, max(p.Width, p.Height)) {
			t.Errorf("%s: %d × %d of %d × %d", size.Name, w, h, p.Width, p.Height)
		}
		if size.Name == "large" && (w != p.Width || h != p.Height) {
			t.Errorf("the photo is %d × %d, its largest picture %d × %d", p.Width, p.Height, w, h)
		}
		// Of the kinds of segment, only those are there that pixels need.
		for at := 2; data[at+1] != 0xda; at += 2 + int(binary.BigEndian.Uint16(data[at+2:])) {
			if data[at] != 0xff || !strings.Contains("\xc0\xc4\xdb\xda", string(data[at+1:at+2])) {
				t.Errorf("%s has a segment %x", size.Name, data[at:at+2])
				break
			}
		}
		if bytes.Contains(data, []byte(secret)) {
			t.Errorf("%s has what stood beside the pixels", size.Name)
		}
	}
	return pictures
}

// near tells whether a picture has a colour at a place given in percent.
func near(img image.Image, x, y int, want color.RGBA) bool {
	b := img.Bounds()
	got := color.RGBAModel.Convert(img.At(b.Min.X+x*b.Dx()/100, b.Min.Y+y*b.Dy()/100)).(color.RGBA)
	off := func(a, b uint8) bool { return max(a, b)-min(a, b) > 60 }
	return !off(got.R, want.R) && !off(got.G, want.G) && !off(got.B, want.B)
}

// checkQuarters compares the middles of the quarters: above left, above right,
// below left, below right.
func checkQuarters(t *testing.T, img image.Image, want [4]color.RGBA) {
	t.Helper()
	for i, c := range want {
		if x, y := 25+i%2*50, 25+i/2*50; !near(img, x, y, c) {
			t.Errorf("at %d%%, %d%% the colour is %v, want %v", x, y, img.At(x*img.Bounds().Dx()/100, y*img.Bounds().Dy()/100), c)
		}
	}
}

func TestOrientation(t *testing.T) {
	file := encodeJPEG(t, quarters(96, 64))
	for o, want := range [9][4]color.RGBA{
		{red, green, blue, yellow}, // 0 is none
		{red, green, blue, yellow},
		{green, red, yellow, blue},
		{yellow, blue, green, red},
		{blue, yellow, red, green},
		{red, blue, green, yellow},
		{blue, red, yellow, green},
		{yellow, green, blue, red},
		{green, yellow, red, blue},
	} {
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			t.Run(fmt.Sprint(o, order), func(t *testing.T) {
				block := string(exifBlock(order, o))
				p, pictures := process(t, addSegments(file, segment(0xe0, "JFIF\x00\x01\x02\x00\x00\x01\x00\x01\x00\x00"), segment(0xe1, "http://ns.adobe.com/xap/1.0/\x00"+secret),
					segment(0xe1, "Exif\x00\x00"+block), segment(0xe2, "ICC_PROFILE\x00"+secret), segment(0xfe, secret)))
				if turned := o >= 5; turned != (p.Height > p.Width) {
					t.Errorf("%d × %d", p.Width, p.Height)
				}
				for _, img := range pictures {
					checkQuarters(t, img, want)
				}
			})
		}
	}
	block := string(exifBlock(binary.BigEndian, 6))
	turned := [4]color.RGBA{blue, red, yellow, green}
	t.Run("PNG", func(t *testing.T) {
		_, pictures := process(t, addChunks(encodePNG(t, quarters(96, 64)), chunk("tEXt", "Comment\x00"+secret), chunk("eXIf", block)))
		checkQuarters(t, pictures["large"], turned)
	})
	t.Run("WebP", func(t *testing.T) {
		const exifFlag = 1 << 3
		_, pictures := process(t, riff("VP8X", extended(exifFlag, 16, 8), "VP8L", string(losslessWebP[20:]), "EXIF", block))
		checkQuarters(t, pictures["large"], turned)
	})
}

// TestBadEXIF has blocks that say nothing; the picture is good all the same.
func TestBadEXIF(t *testing.T) {
	good := string(exifBlock(binary.LittleEndian, 6))
	for i := range len(good) {
		if o := orientation([]byte(good[:i])); o != 1 && i < 8+2+2*12 {
			t.Errorf("%d bytes state the orientation %d", i, o)
		}
	}
	for name, block := range map[string]string{
		"of another order": "XX" + good[2:],
		"beyond the end":   good[:4] + "\xff\xff\xff\xff" + good[8:],
		"at the end":       good[:4] + string(binary.LittleEndian.AppendUint32(nil, uint32(len(good)-1))) + good[8:],
		"too large":        string(exifBlock(binary.LittleEndian, 9)),
	} {
		if o := orientation([]byte(block)); o != 1 {
			t.Errorf("%s: %d", name, o)
		}
	}
}

func TestKindsOfPicture(t *testing.T) {
	rgba := quarters(48, 32)
	convert := func(dst draw.Image) image.Image {
		draw.Draw(dst, dst.Bounds(), rgba, image.Point{}, draw.Src)
		return dst
	}
	bounds := rgba.Bounds()
	for name, file := range map[string][]byte{
		"JPEG":          encodeJPEG(t, rgba),
		"PNG":           encodePNG(t, rgba),
		"PNG, 16 bits":  encodePNG(t, convert(image.NewRGBA64(bounds))),
		"PNG, palette":  encodePNG(t, convert(image.NewPaletted(bounds, palette.WebSafe))),
		"WebP":          lossyWebP,
		"WebP lossless": losslessWebP,
		"JPEG and more": append(encodeJPEG(t, rgba), secret...),
	} {
		t.Run(name, func(t *testing.T) {
			p, pictures := process(t, file)
			checkQuarters(t, pictures["large"], [4]color.RGBA{red, green, blue, yellow})
			if again, _ := process(t, file); again.ID != p.ID {
				t.Error("another id the second time")
			}
		})
	}
	t.Run("grey", func(t *testing.T) {
		grey := image.NewGray(bounds)
		draw.Draw(grey, bounds, image.NewUniform(color.Gray{200}), image.Point{}, draw.Src)
		for _, file := range [][]byte{encodePNG(t, grey), encodeJPEG(t, grey)} {
			_, pictures := process(t, file)
			if !near(pictures["large"], 50, 50, color.RGBA{200, 200, 200, 255}) {
				t.Errorf("it is %v", pictures["large"].At(5, 5))
			}
		}
	})
}

func TestTransparencyBecomesWhite(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 48, 32))
	draw.Draw(img, img.Bounds(), quarters(48, 32), image.Point{}, draw.Src)
	for y := range 16 {
		for x := range 24 {
			img.SetNRGBA(x, y, color.NRGBA{255, 0, 0, 0})      // none of red
			img.SetNRGBA(x+24, y, color.NRGBA{0, 255, 0, 128}) // half of green
		}
	}
	_, pictures := process(t, encodePNG(t, img))
	checkQuarters(t, pictures["large"], [4]color.RGBA{white, {128, 255, 128, 255}, blue, yellow})
	_, pictures = process(t, transparentWebP)
	checkQuarters(t, pictures["large"], [4]color.RGBA{white, green, blue, yellow})
}

func TestSizes(t *testing.T) {
	for _, tc := range []struct {
		w, h                 int
		large, medium, thumb image.Point
	}{
		{2500, 250, image.Pt(1920, 192), image.Pt(960, 96), image.Pt(320, 32)},
		{30, 4001, image.Pt(14, 1920), image.Pt(7, 960), image.Pt(2, 320)},
		{1920, 100, image.Pt(1920, 100), image.Pt(960, 50), image.Pt(320, 17)},
		{1921, 7, image.Pt(1920, 7), image.Pt(960, 4), image.Pt(320, 1)},
		{500, 400, image.Pt(500, 400), image.Pt(500, 400), image.Pt(320, 256)},
		{12000, 1, image.Pt(1920, 1), image.Pt(960, 1), image.Pt(320, 1)},
		{1, 1, image.Pt(1, 1), image.Pt(1, 1), image.Pt(1, 1)},
	} {
		_, pictures := process(t, encodePNG(t, image.NewGray(image.Rect(0, 0, tc.w, tc.h))))
		for name, want := range map[string]image.Point{"large": tc.large, "medium": tc.medium, "thumb": tc.thumb} {
			if got := pictures[name].Bounds().Size(); got != want {
				t.Errorf("%d × %d, %s: %v, want %v", tc.w, tc.h, name, got, want)
			}
		}
	}
}

// TestScalingAverages: a fine pattern has to become grey. A scaler that looks at a
// few pixels only makes stripes of it.
func TestScalingAverages(t *testing.T) {
	img := image.NewGray(image.Rect(0, 0, 9600, 100))
	for i := range img.Pix {
		img.Pix[i] = 255 * uint8(i%2)
	}
	_, pictures := process(t, encodePNG(t, img))
	for name, img := range pictures {
		for x := range 100 {
			if !near(img, x, 50, color.RGBA{128, 128, 128, 255}) {
				t.Fatalf("%s: at %d%% it is %v", name, x, img.At(x*img.Bounds().Dx()/100, img.Bounds().Dy()/2))
			}
		}
	}
}

// bombs are files of a few bytes that announce more pixels than are taken.
func bombs() map[string][]byte {
	ihdr := func(w, h uint32) []byte {
		content := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)
		return append([]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", string(content)+"\x08\x06\x00\x00\x00")...)
	}
	sof := func(w, h uint16) []byte {
		content := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16([]byte{8}, h), w)
		return addSegments([]byte{0xff, 0xd8, 0xff, 0xd9}, segment(0xc0, string(content)+"\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01"), segment(0xda, "\x00"))
	}
	return map[string][]byte{
		"PNG":                       ihdr(30_000, 30_000),
		"PNG, a side too long":      ihdr(12_001, 1),
		"PNG, a pixel too many":     ihdr(8000, 5001),
		"JPEG":                      sof(65_535, 65_535),
		"WebP":                      riff("VP8L", "\x2f\xff\xff\xff\x0f"+strings.Repeat("\x00", 20)),
		"WebP behind a small frame": riff("VP8X", extended(0, 12_000, 12_000), "VP8L", "\x2f\x00\x00\x00\x00"),
	}
}

func TestBombs(t *testing.T) {
	for name, file := range bombs() {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := Process(t.Context(), file)
			runtime.ReadMemStats(&after)
			if got := refusal(err); got != "photo too_large 12000 × 12000, 40 MP" {
				t.Errorf("%s (%v)", got, err)
			}
			if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
				t.Errorf("%d bytes were allocated", n)
			}
		})
	}
	// Behind a frame that is taken, pixels that are not must be found out, too.
	small := riff("VP8X", extended(0, 10, 10), "VP8L", "\x2f\xff\xff\xff\x0f"+strings.Repeat("\x00", 20))
	if got := refusal(second(Process(t.Context(), small))); got != "photo bad_format JPEG, PNG, WebP" {
		t.Error(got)
	}
}

func second[A, B any](_ A, b B) B { return b }

// refusal names an Invalid error.
func refusal(err error) string {
	var e *directory.Error
	if !errors.As(err, &e) || e.Kind != directory.Invalid || len(e.Fields) != 1 {
		return fmt.Sprintf("no refusal: %v", err)
	}
	return e.What + " " + e.Fields[0].Code + " " + e.Fields[0].Limit
}

func TestRefused(t *testing.T) {
	img := quarters(96, 64)
	var asGIF bytes.Buffer
	if err := gif.Encode(&asGIF, img, nil); err != nil {
		t.Fatal(err)
	}
	asJPEG, asPNG := encodeJPEG(t, img), encodePNG(t, img)
	const format, heic = "photo bad_format JPEG, PNG, WebP", "heic bad_format JPEG, PNG, WebP"
	for _, tc := range []struct {
		name string
		file []byte
		want string
	}{
		{"nothing", nil, format},
		{"text", []byte("你好"), format},
		{"HTML", []byte("<!DOCTYPE html><script>alert(1)</script>"), format},
		{"SVG", []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), format},
		{"GIF", asGIF.Bytes(), format},
		{"HEIC", []byte("\x00\x00\x00\x24ftypheic\x00\x00\x00\x00mif1heic"), heic},
		{"HEIC by its second name", []byte("\x00\x00\x00\x24ftypmif1\x00\x00\x00\x00mif1heic"), heic},
		{"a film", []byte("\x00\x00\x00\x24ftypisom\x00\x00\x00\x00"), format},
		{"JPEG, its beginning", asJPEG[:3], format},
		{"JPEG, half", asJPEG[:len(asJPEG)/2], format},
		{"PNG, its beginning", asPNG[:8], format},
		{"PNG, half", asPNG[:len(asPNG)*3/4], format},
		{"PNG, damaged", append(append(bytes.Clone(asPNG[:60]), asPNG[60]^1), asPNG[61:]...), format},
		{"WebP, half", lossyWebP[:len(lossyWebP)/2], format},
		{"WebP of sound", riff("WAVE", "0123456789"), format},
		{"empty PNG", append([]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", "\x00\x00\x00\x00\x00\x00\x00\x00\x08\x06\x00\x00\x00")...), format},
		{"as long as can be", pad(asJPEG, MaxBytes), ""},
		{"too long", pad(asJPEG, MaxBytes+1), "photo too_large 10 MB"},
	} {
		_, err := Process(t.Context(), tc.file)
		if tc.want == "" && err != nil || tc.want != "" && refusal(err) != tc.want {
			t.Errorf("%s: %v, want %q", tc.name, err, tc.want)
		}
	}
}

func pad(b []byte, n int) []byte { return append(bytes.Clone(b), make([]byte, n-len(b))...) }

// TestProcessWaits: what is worked on at once is bounded, and who waits can leave.
func TestProcessWaits(t *testing.T) {
	file := encodeJPEG(t, quarters(40, 40))
	synctest.Test(t, func(t *testing.T) {
		if err := working.Acquire(t.Context(), maxPixels); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var left, stayed error
		ended := 0
		go func() {
			left = second(Process(ctx, file))
			ended++
		}()
		synctest.Wait()
		go func() {
			stayed = second(Process(t.Context(), file))
			ended++
		}()
		synctest.Wait()
		if ended != 0 {
			t.Error("there was no room, but somebody did not wait")
		}
		cancel()
		synctest.Wait()
		if ended != 1 || !errors.Is(left, context.Canceled) {
			t.Errorf("%d have ended, the one that left with %v", ended, left)
		}
		working.Release(maxPixels)
		synctest.Wait()
		if ended != 2 || stayed != nil {
			t.Errorf("%d have ended, the one that stayed with %v", ended, stayed)
		}
	})
	if !working.TryAcquire(maxPixels) {
		t.Fatal("room was not given back")
	}
	working.Release(maxPixels)
}

func TestProcessEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Process(ctx, encodeJPEG(t, quarters(40, 40))); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := newPhoto(ctx, quarters(40, 40), 1); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// FuzzProcess: whatever is sent, it is refused as what it is or becomes a photo
// within its bounds.
func FuzzProcess(f *testing.F) {
	img := quarters(24, 16)
	asJPEG := encodeJPEG(f, img)
	for _, seed := range [][]byte{
		asJPEG, addSegments(asJPEG, segment(0xe1, "Exif\x00\x00"+string(exifBlock(binary.BigEndian, 6)))),
		encodePNG(f, img), lossyWebP, losslessWebP, transparentWebP,
		riff("VP8X", extended(1<<3, 16, 8), "VP8L", string(losslessWebP[20:]), "EXIF", string(exifBlock(binary.LittleEndian, 8))),
	} {
		f.Add(seed)
	}
	for _, bomb := range bombs() {
		f.Add(bomb)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, format := range formats {
			if config, err := format.config(bytes.NewReader(data)); err == nil && config.Width*config.Height <= maxPixels && config.Width*config.Height > 1<<20 {
				return // it is taken, but a large picture teaches nothing more
			}
		}
		p, err := Process(t.Context(), data)
		if err != nil {
			if directory.KindOf(err) != directory.Invalid {
				t.Fatal(err)
			}
			return
		}
		inspect(t, p)
		if p.bytes() > 3<<20 {
			t.Errorf("%d bytes", p.bytes())
		}
	})
}
