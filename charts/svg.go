package charts

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// fonts are those of macOS, Windows and Linux for Chinese, then for Tibetan and Mongolian.
// On a phone sans-serif has all of them.
const fonts = `"PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "WenQuanYi Micro Hei", "Microsoft Himalaya", "Noto Serif Tibetan", "Mongolian Baiti", sans-serif`

// SVG returns a chart as SVG that needs nothing else: no scripts, styles, fonts or other
// files. It has a title and a description with all its figures for those who cannot see it.
func SVG(c Chart) []byte {
	d := c.draw()
	w := &svgWriter{}
	size := number(d.width) + `" height="` + number(d.height)
	w.printf(`<svg xmlns="http://www.w3.org/2000/svg" width="%s" viewBox="0 0 %s %s" role="img" font-family="%s" shape-rendering="geometricPrecision">`, size, number(d.width), number(d.height), escape(fonts))
	w.printf("\n<title>%s</title>\n<desc>%s</desc>\n", escape(d.title), escape(d.description))
	w.printf(`<rect width="%s" fill="%s"/>`+"\n", size, white)
	for _, s := range d.shapes {
		s.writeSVG(w)
	}
	w.printf("</svg>\n")
	return w.Bytes()
}

type svgWriter struct{ bytes.Buffer }

func (w *svgWriter) printf(format string, args ...any) { fmt.Fprintf(w, format, args...) }

// style writes the attributes that areas and lines have in common.
func (w *svgWriter) style(class, fill, stroke string, width, dash float64) {
	if class != "" {
		w.printf(` class="%s"`, class)
	}
	if fill == "" {
		fill = "none"
	}
	w.printf(` fill="%s"`, fill)
	if stroke != "" {
		w.printf(` stroke="%s" stroke-width="%s" stroke-linejoin="round"`, stroke, number(width))
	}
	if dash > 0 {
		w.printf(` stroke-dasharray="%s"`, number(dash))
	}
}

func (p *path) writeSVG(w *svgWriter) {
	w.printf(`<path d="`)
	for _, ring := range p.rings {
		for i, at := range ring {
			switch i {
			case 0:
				w.printf("M")
			case 1:
				w.printf("L")
			default:
				w.printf(" ")
			}
			w.printf("%s %s", number(at.x), number(at.y))
		}
		if p.closed {
			w.printf("Z")
		}
	}
	w.printf(`"`)
	w.style(p.class, p.fill, p.stroke, p.width, p.dash)
	if p.closed && len(p.rings) > 1 {
		w.printf(` fill-rule="evenodd"`)
	}
	w.printf("/>\n")
}

func (c *disc) writeSVG(w *svgWriter) {
	w.printf(`<circle cx="%s" cy="%s" r="%s"`, number(c.at.x), number(c.at.y), number(c.r))
	w.style(c.class, c.fill, c.stroke, 1, 0)
	w.printf("/>\n")
}

func (l *label) writeSVG(w *svgWriter) {
	w.printf(`<text x="%s" y="%s" font-size="%s"`, number(l.at.x), number(l.at.y), number(l.size))
	if l.anchor != start {
		w.printf(` text-anchor="%s"`, l.anchor)
	}
	if l.bold {
		w.printf(` font-weight="bold"`)
	}
	if l.halo {
		w.style(l.class, l.colour, white, haloWidth, 0)
		w.printf(` paint-order="stroke"`)
	} else {
		w.style(l.class, l.colour, "", 0, 0)
	}
	w.printf(">%s</text>\n", escape(l.text))
}

func (g openGroup) writeSVG(w *svgWriter) { w.printf("<g><title>%s</title>\n", escape(g.tip)) }

func (closeGroup) writeSVG(w *svgWriter) { w.printf("</g>\n") }

// number writes a length to a hundredth of a pixel.
func number(v float64) string { return strconv.FormatFloat(math.Round(v*100)/100+0, 'f', -1, 64) }

func escape(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder takes everything
	return b.String()
}
