package charts

import (
	_ "embed"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// fontFile is Noto Sans CJK SC Regular 2.004 (SIL Open Font License, OFL.txt) with the
// 7,445 characters of GB 2312, Latin letters, some signs, and what the seed has besides,
// made with fonttools 4.68:
//
//	pyftsubset NotoSansCJK-Regular.ttc --font-number=2 --text-file=characters.txt
//	  --layout-features= --no-hinting --notdef-outline
//	  --drop-tables+=vhea,vmtx,VORG,BASE,GPOS,GSUB,GDEF
//
// What it lacks, Tibetan among it, is a box in a PNG; an SVG is shown in the fonts of
// whoever looks at it.
//
//go:embed NotoSansCJKsc-subset.otf
var fontFile []byte

var typeface = sync.OnceValue(func() *sfnt.Font {
	f, err := sfnt.Parse(fontFile)
	if err != nil {
		panic(err) // the file is part of the program
	}
	return f
})

// perEm is the size at which glyphs are read: the font's own units.
const perEm = 1000

// advance returns how wide a character is at size 1. Marks stand above or below the
// character before them.
func advance(buf *sfnt.Buffer, r rune) float64 {
	switch {
	case wide(r):
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me):
		return 0
	}
	i, err := typeface().GlyphIndex(buf, r)
	if err == nil {
		if a, err := typeface().GlyphAdvance(buf, i, fixed.I(perEm), font.HintingNone); err == nil {
			return float64(a) / 64 / perEm
		}
	}
	return 1
}

// room returns how much width to keep for a text, because the fonts in which an SVG is
// shown are a few percent wider than the one of this package.
func room(text string, size float64) float64 { return textWidth(text, size) * 1.06 }

// textWidth returns how wide a text is in the font of this package.
func textWidth(text string, size float64) float64 {
	var buf sfnt.Buffer
	var w float64
	for _, r := range text {
		w += advance(&buf, r)
	}
	return w * size
}

// maxText is how many bytes of a text are looked at.
const maxText = 2000

// clean makes one line of valid characters of any text: control characters, which XML
// forbids, and those that turn the direction of text around become spaces, which are
// then single.
func clean(text string) string {
	if len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText], "") + "…"
	}
	return strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
			return ' '
		case r == 0xfffe || r == 0xffff:
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(text, "\ufffd"))), " ")
}

// elide cuts a text off so that it is not wider than that.
func elide(text string, size, width float64) string {
	if textWidth(text, size) <= width {
		return text
	}
	head, _ := fit(text, size, width-textWidth("…", size))
	return strings.TrimRight(head, " ") + "…"
}

// fit parts a text behind what is not wider than that, and never before a mark.
func fit(text string, size, width float64) (head, tail string) {
	var buf sfnt.Buffer
	var w float64
	for i, r := range text {
		w += advance(&buf, r) * size
		if w > width {
			for i > 0 && unicode.In(first(text[i:]), unicode.Mn, unicode.Me) {
				_, n := utf8.DecodeLastRuneInString(text[:i])
				i -= n
			}
			return text[:i], text[i:]
		}
	}
	return text, ""
}

func first(text string) rune {
	r, _ := utf8.DecodeRuneInString(text)
	return r
}

// wrap parts a clean text into at most some lines, between words and between Chinese
// characters; the last one is cut off where it is too long.
func wrap(text string, size, width float64, lines int) []string {
	var out []string
	for text != "" {
		if len(out) == lines-1 {
			return append(out, elide(text, size, width))
		}
		head, tail := fit(text, size, width)
		if head == "" { // not even one character
			return append(out, elide(text, size, width))
		}
		if at := breakBefore(text, len(head)); tail != "" && at > 0 {
			head, tail = text[:at], text[at:]
		}
		out = append(out, strings.TrimSpace(head))
		text = strings.TrimSpace(tail)
	}
	return out
}

// breakBefore returns the last place up to end where a line may be parted, 0 if none.
func breakBefore(text string, end int) int {
	for at := end; at > 0; {
		before, n := utf8.DecodeLastRuneInString(text[:at])
		after := first(text[at:])
		switch {
		case before == ' ' || after == ' ',
			(wide(before) || wide(after)) && !strings.ContainsRune("，。、；：！？）》」』〕”%…", after) && !strings.ContainsRune("（《「『〔“", before):
			return at
		}
		at -= n
	}
	return 0
}

// wide tells whether a character is as wide as high, and lines may be parted beside it:
// Chinese, and its signs.
func wide(r rune) bool { return r >= 0x2e80 && r < 0xffa0 }
