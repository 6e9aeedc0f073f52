package sheets

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"qingfu/directory"
)

const byteOrderMark = "\ufeff"

// decode makes UTF-8 of a file. A byte order mark says what it is; without one
// it is UTF-8 if it can be and otherwise GB18030, in which Excel writes CSV on
// Chinese Windows. Chinese text in GB18030 does not pass for UTF-8.
func decode(data []byte) ([]byte, error) {
	var from encoding.Encoding
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")):
		from = unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM)
	case utf8.Valid(data):
		return bytes.TrimPrefix(data, []byte(byteOrderMark)), nil
	default:
		from = simplifiedchinese.GB18030
	}
	text, err := from.NewDecoder().Bytes(data)
	// The decoders put U+FFFD where they cannot read on.
	if err != nil || bytes.ContainsRune(text, utf8.RuneError) {
		return nil, invalid("", directory.CodeFormat, "UTF-8、GB18030", err)
	}
	return text, nil
}

// readCSV reads a file of comma-separated values and its relatives.
func readCSV(data []byte, known func(header string) bool) ([]record, error) {
	text, err := decode(data)
	if err != nil {
		return nil, err
	}
	if bytes.IndexByte(text, 0) >= 0 {
		return nil, invalid("", directory.CodeFormat, "XLSX、CSV", nil)
	}
	if !bytes.ContainsRune(text, '\n') { // as old Macs write lines
		text = bytes.ReplaceAll(text, []byte("\r"), []byte("\n"))
	}
	comma, skipped := delimiter(text, known)
	r := csv.NewReader(bytes.NewReader(text[skipped:]))
	r.Comma = comma
	r.FieldsPerRecord = -1
	var lines []record
	within := 0 // how many lines of the file begin within a cell
	if skipped > 0 {
		within = -1
	}
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		var wrong *csv.ParseError
		if errors.As(err, &wrong) {
			return nil, invalid("/"+strconv.Itoa(wrong.StartLine-within), directory.CodeFormat, `"a ""quoted"" cell"`, err)
		}
		if err != nil {
			return nil, err
		}
		start, _ := r.FieldPos(0)
		line := record{number: start - within, cells: cells}
		for _, cell := range cells {
			within += strings.Count(cell, "\n")
		}
		if len(cells) > maxColumns {
			return nil, invalid("/"+strconv.Itoa(line.number), directory.CodeTooLong, strconv.Itoa(maxColumns), nil)
		}
		if !line.empty() {
			lines = append(lines, line)
			if len(lines) > MaxRows+headerWithin+1 {
				return nil, invalid("/"+strconv.Itoa(line.number), directory.CodeTooLong, strconv.Itoa(MaxRows), nil)
			}
		}
	}
}

// delimiter tells what parts the cells: what the first line says (sep=;, a habit
// of Excel) or what makes the most known headers of one of the first lines. It
// also returns how many bytes the first line takes if it says so.
func delimiter(text []byte, known func(header string) bool) (comma rune, skipped int) {
	first, _, _ := bytes.Cut(text, []byte("\n"))
	if sep := strings.Trim(strings.TrimSpace(string(first)), `"`); len(sep) == 5 && strings.EqualFold(sep[:4], "sep=") && strings.Contains(",;\t", sep[4:]) {
		return rune(sep[4]), min(len(first)+1, len(text))
	}
	comma, most := ',', 0
	for _, candidate := range ",;\t" {
		r := csv.NewReader(bytes.NewReader(text[:min(len(text), 64<<10)]))
		r.Comma = candidate
		r.FieldsPerRecord = -1
		r.LazyQuotes = true // quotes are not to be judged by the wrong delimiter
		for range headerWithin {
			cells, err := r.Read()
			if err != nil {
				break
			}
			count := 0
			for _, cell := range cells {
				if known(cell) {
					count++
				}
			}
			if count > most {
				comma, most = candidate, count
			}
		}
	}
	return comma, skipped
}
