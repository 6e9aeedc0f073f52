package sheets

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"

	"qingfu/directory"
)

// What an XLSX may unpack to, which is a zip of XML files. 10,000 rows of all
// columns with long texts are a fifth of it.
const (
	maxUnpacked = 128 << 20 // all of it, in bytes
	maxStrings  = 48 << 20  // the texts of all cells
	maxPart     = 8 << 20   // styles and the like
	maxParts    = 2000      // files, sheets, and links between them
	maxTexts    = 1_000_000 // different ones
	maxMerged   = 1_000_000 // cells
)

// readXLSX reads the sheet of a name, or else the first visible one.
//
// excelize has had panics on files made to hurt, which is why one is an error of
// the file here.
func readXLSX(data []byte, name string) (lines []record, err error) {
	broken := func(cause error) error { return invalid("", directory.CodeFormat, "XLSX", cause) }
	defer func() {
		if p := recover(); p != nil {
			lines, err = nil, broken(fmt.Errorf("panic: %v", p))
		}
	}()
	if err := checkParts(data); err != nil {
		return nil, err
	}
	f, err := excelize.OpenReader(bytes.NewReader(data), excelize.Options{UnzipSizeLimit: maxUnpacked, UnzipXMLSizeLimit: maxUnpacked})
	if err != nil {
		return nil, broken(err)
	}
	defer f.Close()
	sheet := chooseSheet(f, name)
	if sheet == "" {
		return nil, broken(nil)
	}
	if err := showAsStored(f); err != nil {
		return nil, broken(err)
	}
	rows, err := f.Rows(sheet)
	if err != nil {
		return nil, broken(err)
	}
	defer rows.Close()
	for number := 1; rows.Next(); number++ {
		cells, err := rows.Columns()
		if err != nil {
			return nil, broken(err)
		}
		line := record{number, cells}
		if len(cells) > maxColumns {
			return nil, invalid("/"+strconv.Itoa(number), directory.CodeTooLong, strconv.Itoa(maxColumns), nil)
		}
		if line.empty() {
			continue
		}
		if len(lines) > MaxRows+headerWithin {
			return nil, invalid("/"+strconv.Itoa(number), directory.CodeTooLong, strconv.Itoa(MaxRows), nil)
		}
		lines = append(lines, line)
	}
	if err := rows.Error(); err != nil {
		return nil, broken(err)
	}
	merged, err := mergedCells(f, sheet)
	if err != nil {
		return nil, broken(err)
	}
	return lines, fillDown(lines, merged)
}

// checkParts looks at what a file unpacks to before excelize does. Small parts
// may not hold more links than somebody's workbook has, since excelize compares
// every sheet with every link.
func checkParts(data []byte) error {
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return invalid("", directory.CodeFormat, "XLSX", err)
	}
	tooLarge := func(part string) error {
		return invalid("", directory.CodeTooLarge, strconv.Itoa(maxUnpacked>>20)+" MiB", fmt.Errorf("%s is too large", part))
	}
	if len(archive.File) > maxParts {
		return tooLarge("the number of parts")
	}
	var total uint64
	for _, part := range archive.File {
		size := part.UncompressedSize64
		if total += min(size, maxUnpacked+1); total > maxUnpacked {
			return tooLarge("everything")
		}
		name := strings.ToLower(strings.ReplaceAll(part.Name, `\`, "/"))
		switch {
		case path.Ext(name) != ".xml" && path.Ext(name) != ".rels": // pictures
		case strings.HasPrefix(name, "xl/worksheets/") && path.Ext(name) == ".xml":
		case strings.HasSuffix(name, "sharedstrings.xml"):
			if size > maxStrings || count(part, "si") > maxTexts {
				return tooLarge(name)
			}
		case size > maxPart || count(part, "sheet") > maxParts || count(part, "Relationship") > maxParts:
			return tooLarge(name)
		}
	}
	return nil
}

// count returns how many elements of a name a part has, about. A part that
// breaks off counts as far as it goes: excelize reads it so.
func count(part *zip.File, element string) int {
	r, err := part.Open()
	if err != nil {
		return 0 // excelize cannot open it either
	}
	defer r.Close()
	content, _ := io.ReadAll(r)
	return bytes.Count(content, []byte("<"+element)) + bytes.Count(content, []byte(":"+element))
}

// chooseSheet returns the visible sheet of a name, or else the first visible one.
func chooseSheet(f *excelize.File, name string) string {
	chosen := ""
	for _, sheet := range f.GetSheetList() {
		if visible, err := f.GetSheetVisible(sheet); err != nil || !visible {
			continue
		}
		if sheet == name {
			return sheet
		}
		if chosen == "" {
			chosen = sheet
		}
	}
	return chosen
}

// shape is what a number format makes of a number.
type shape int

const (
	plainNumber shape = iota
	dayNumber
	momentNumber // a day with a time
	timeNumber
	wholePercent
	percent
)

// noSuchFormat is the id of no format, which leaves numbers alone.
const noSuchFormat = 1 << 20

// showAsStored replaces the number formats of a workbook, so that a cell's text
// is the number itself, whatever Excel makes of it: 9711234567 and not 9.71E+09
// or 9,711,234,567. Days become 2026-11-23 with a mark before them; times of day
// and percentages are as they look.
func showAsStored(f *excelize.File) error {
	if f.Styles == nil || f.Styles.CellXfs == nil {
		return nil
	}
	ids := map[shape]*int{plainNumber: new(noSuchFormat)}
	used := map[int]bool{}
	for shape, code := range map[shape]string{
		dayNumber: `"` + dateMark + `"yyyy-mm-dd`, momentNumber: `"` + dateMark + `"yyyy-mm-dd hh:mm:ss`, timeNumber: "hh:mm",
		wholePercent: `0%""`, percent: `0.00%""`, // unlike those that Excel has
	} {
		style, err := f.NewStyle(&excelize.Style{CustomNumFmt: &code})
		if err != nil {
			return err
		}
		ids[shape] = f.Styles.CellXfs.Xf[style].NumFmtID
		used[*ids[shape]] = true
	}
	codes := map[int]string{}
	kept := f.Styles.NumFmts.NumFmt[:0] // every cell looks through them
	for _, format := range f.Styles.NumFmts.NumFmt {
		codes[format.NumFmtID] = format.FormatCode
		if used[format.NumFmtID] {
			kept = append(kept, format)
		}
	}
	f.Styles.NumFmts.NumFmt = kept
	for i := range f.Styles.CellXfs.Xf {
		xf := &f.Styles.CellXfs.Xf[i]
		if xf.NumFmtID != nil && !used[*xf.NumFmtID] {
			xf.NumFmtID = ids[shapeOf(*xf.NumFmtID, codes[*xf.NumFmtID])]
		}
	}
	return nil
}

// builtIn are the formats that Excel knows by their number (ECMA-376 Part 1,
// 18.8.30), those of Chinese versions among them.
var builtIn = map[int]shape{
	9: wholePercent, 10: percent, 14: dayNumber, 15: dayNumber, 16: dayNumber, 17: dayNumber,
	18: timeNumber, 19: timeNumber, 20: timeNumber, 21: timeNumber, 22: momentNumber,
	27: dayNumber, 28: dayNumber, 29: dayNumber, 30: dayNumber, 31: dayNumber, 32: timeNumber, 33: timeNumber, 34: timeNumber, 35: timeNumber, 36: dayNumber,
	45: timeNumber, 46: timeNumber, 47: timeNumber,
	50: dayNumber, 51: dayNumber, 52: dayNumber, 53: dayNumber, 54: dayNumber, 55: timeNumber, 56: timeNumber, 57: dayNumber, 58: dayNumber,
}

// notInCode is what stands in a format for itself, and its colours and places.
var notInCode = regexp.MustCompile(`"[^"]*"|\\.|[_*].|\[[^\]]*[^\]hms][^\]]*\]|(?i:am/pm|a/p|general|e[+-])`)

// shapeOf tells what a format does by the letters in its code.
func shapeOf(id int, code string) shape {
	if code == "" {
		return builtIn[id]
	}
	code, _, _ = strings.Cut(notInCode.ReplaceAllString(code, ""), ";")
	code = strings.ToLower(code)
	days := strings.ContainsAny(code, "yd") || strings.Contains(code, "aaa")
	times := strings.ContainsAny(code, "hs")
	switch {
	case days && times:
		return momentNumber
	case times:
		return timeNumber
	case days || strings.Contains(code, "m"):
		return dayNumber
	case strings.Contains(code, "%") && strings.Contains(code, "."):
		return percent
	case strings.Contains(code, "%"):
		return wholePercent
	}
	return plainNumber
}

// rectangle is a range of merged cells, from 1 on, both ends included.
type rectangle struct{ left, top, right, bottom int }

// mergedCells reads the merged cells of a sheet, which stand after its rows.
// excelize would read all of the sheet again for them.
func mergedCells(f *excelize.File, sheet string) ([]rectangle, error) {
	content := sheetXML(f, sheet)
	if i := bytes.LastIndex(content, []byte("sheetData")); i >= 0 {
		content = content[i+len("sheetData"):]
		content = content[bytes.IndexByte(content, '>')+1:]
	}
	var out []rectangle
	for dec := xml.NewDecoder(bytes.NewReader(content)); ; {
		token, err := dec.RawToken()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		start, ok := token.(xml.StartElement)
		if !ok || start.Name.Local != "mergeCell" {
			continue
		}
		for _, a := range start.Attr {
			if from, to, ok := strings.Cut(a.Value, ":"); ok && a.Name.Local == "ref" {
				left, top, errFrom := excelize.CellNameToCoordinates(from)
				right, bottom, errTo := excelize.CellNameToCoordinates(to)
				if errFrom == nil && errTo == nil {
					out = append(out, rectangle{left, top, right, bottom})
				}
			}
		}
	}
}

// sheetXML returns the part of a sheet. It is empty for a workbook whose parts
// have unusual names; merged cells are then not seen.
func sheetXML(f *excelize.File, name string) []byte {
	id := ""
	for _, sheet := range f.WorkBook.Sheets.Sheet {
		if sheet.Name == name {
			id = sheet.ID
			break
		}
	}
	links, _ := f.Pkg.Load("xl/_rels/workbook.xml.rels")
	content, _ := links.([]byte)
	var parsed struct {
		Relationship []struct {
			ID     string `xml:"Id,attr"`
			Target string `xml:"Target,attr"`
		}
	}
	if xml.Unmarshal(content, &parsed) != nil {
		return nil
	}
	for _, link := range parsed.Relationship {
		if link.ID == id {
			target := strings.TrimPrefix(link.Target, "/xl/")
			part, _ := f.Pkg.Load("xl/" + target)
			content, _ := part.([]byte)
			return content
		}
	}
	return nil
}

// fillDown gives the rows of merged cells the value of the first one. Only the
// first column of a range is filled: what stretches over columns is a title.
func fillDown(lines []record, merged []rectangle) error {
	filled := 0
	for _, m := range merged {
		at := func(l record, row int) int { return l.number - row }
		first, ok := slices.BinarySearchFunc(lines, m.top, at)
		if !ok || m.left > len(lines[first].cells) {
			continue
		}
		value := lines[first].cells[m.left-1]
		for i := first + 1; i < len(lines) && lines[i].number <= m.bottom; i++ {
			if filled++; filled > maxMerged {
				return invalid("", directory.CodeTooLarge, "", nil)
			}
			l := &lines[i]
			if missing := m.left - len(l.cells); missing > 0 {
				l.cells = append(l.cells, make([]string, missing)...)
			}
			if l.cells[m.left-1] == "" {
				l.cells[m.left-1] = value
			}
		}
	}
	return nil
}
