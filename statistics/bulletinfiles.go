package statistics

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"time"

	"qingfu/directory"
	"qingfu/sheets"
)

// BulletinFile is what the files of a bulletin are written from.
type BulletinFile struct {
	directory.Bulletin
	Latest int // published revision of the period, 0 for none
	// Revisions are the published revisions of the period, the latest first.
	Revisions []directory.Bulletin
	Regions   *directory.Regions
}

// withheld stands in the place of a figure that is not shown.
const withheld = "—"

// bulletinText is a bulletin as it is printed.
type bulletinText struct {
	*BulletinFile
	directory.BulletinContent
	State string
}

func (f *BulletinFile) text() (t bulletinText, err error) {
	t.BulletinFile = f
	t.BulletinContent, err = f.Read()
	for _, term := range directory.BulletinStates {
		if term.Code == string(f.StateBeside(f.Latest)) {
			t.State = term.Names.Zh
		}
	}
	return t, err
}

// about are the lines on the bulletin itself, none of which changes once it is published.
func (t *bulletinText) about() [][2]string {
	published := "未发布（草稿）"
	if t.PublishedAt != nil {
		published = shanghaiTime(*t.PublishedAt)
	}
	lines := [][2]string{
		{"标题", t.Title.Zh}, {"Title", t.Title.En}, {"编号", t.ID()}, {"期间", t.PeriodName.Zh}, {"地区", t.RegionNames.Zh}, {"版次", strconv.Itoa(t.Revision)},
		{"发布时间", published}, {"数据截至", shanghaiTime(t.AsOf)}, {"内容SHA-256", t.ContentSHA256},
	}
	if t.Demo {
		lines = append(lines, [2]string{"说明", demoMark})
	}
	return lines
}

const demoMark = "示例数据：含虚构的演示数据，不可作为统计依据。"

func shanghaiTime(at time.Time) string {
	return at.In(directory.Shanghai).Format("2006年1月2日 15:04")
}

// note says what has to be known of a row beside its figures.
func (t *bulletinText) note(r *directory.BulletinRow) string {
	if s, ok := directory.SuppressionTerm(r.Suppressed); ok {
		return "不公开：" + s.Names.Zh
	}
	n, ok := r.Figures["n"]
	if _, shown := r.Figures["share"]; ok && shown && r.Verdict != "" && n < float64(t.Rules.ComparableRatings) { // a level is a part of all
		return fmt.Sprintf("不足%d条，不宜比较", t.Rules.ComparableRatings)
	}
	return ""
}

// codeName names a verdict or a reason of suppression; what is neither stands for itself.
func codeName(code string) string {
	for _, term := range slices.Concat(directory.Verdicts, directory.IndicatorVerdicts, directory.Suppressions) {
		if term.Code == code {
			return term.Names.Zh
		}
	}
	return code
}

func verdictName(v directory.Verdict) string { return codeName(string(v)) }

// hasVerdicts tells whether any row of a table has a verdict.
func hasVerdicts(t *directory.BulletinTable) bool {
	return slices.ContainsFunc(t.Rows, func(r directory.BulletinRow) bool { return r.Verdict != "" })
}

func unitName(u directory.BulletinUnit) string {
	for _, term := range directory.BulletinUnits {
		if term.Code == string(u) {
			return term.Names.Zh
		}
	}
	return ""
}

// byHundred is a figure as it is printed in its unit, without rounding: shares and their
// differences have at most 4 places.
func byHundred(u directory.BulletinUnit, v float64) float64 {
	if u == directory.ShareFigure || u == directory.PointsFigure {
		return directory.RoundTo(v*100, 1e6)
	}
	return v
}

// CSV writes the bulletin as one long table: a line for each figure.
func (f *BulletinFile) CSV() ([]byte, error) {
	t, err := f.text()
	if err != nil {
		return nil, err
	}
	rows := [][]any{{"表", "行", "指标", "值", "单位", "说明"}}
	for _, line := range t.about() {
		rows = append(rows, []any{"概况", line[0], "", line[1], "", ""})
	}
	for i := range t.Tables {
		table := &t.Tables[i]
		for k := range table.Rows {
			r := &table.Rows[k]
			note := t.note(r)
			if r.Verdict != "" {
				rows = append(rows, []any{table.Names.Zh, r.Names.Zh, "结论", verdictName(r.Verdict), "", note})
			}
			for _, c := range table.Columns {
				var value any = withheld
				if v, ok := r.Figures[c.Code]; ok {
					value = byHundred(c.Unit, v)
				} else if r.Suppressed == "" {
					value = nil
				}
				rows = append(rows, []any{table.Names.Zh, r.Names.Zh, c.Names.Zh, value, unitName(c.Unit), note})
			}
		}
	}
	for _, r := range t.Rules.Statements() {
		rows = append(rows, []any{"规则", r.Rule, "", r.Value, "", ""})
	}
	for _, d := range t.Definitions {
		rows = append(rows, []any{"定义", d.Names.Zh, "", d.Text.Zh, "", d.Source.Zh})
	}
	for _, b := range t.corrections() {
		rows = append(rows, []any{"修订", b.ID(), "", b.Correction, "", ""})
	}
	var out bytes.Buffer
	err = sheets.WriteValues(&out, rows)
	return out.Bytes(), err
}

// corrections are this revision and those before it that correct another, the latest
// first. Later ones are not among them, so that a file of a revision stays what it is.
func (t *bulletinText) corrections() (out []directory.Bulletin) {
	if t.PublishedAt == nil && t.Correction != "" {
		out = append(out, t.Bulletin)
	}
	for _, b := range t.Revisions {
		if b.Revision <= t.Revision && b.Correction != "" {
			out = append(out, b)
		}
	}
	return out
}

// numberFormats are the formats of the units in a workbook.
var numberFormats = map[directory.BulletinUnit]string{
	directory.CountFigure: sheets.CountFormat, directory.ShareFigure: sheets.ShareFormat, directory.PointsFigure: sheets.PointsFormat,
	directory.LevelFigure: sheets.MeanFormat, directory.RatioFigure: sheets.MeanFormat,
}

// XLSX writes the bulletin as a workbook: a sheet on the bulletin itself, one for each
// table, and the definitions, rules and corrections.
func (f *BulletinFile) XLSX() ([]byte, error) {
	t, err := f.text()
	if err != nil {
		return nil, err
	}
	text := func(header string, width float64) sheets.SheetColumn {
		return sheets.SheetColumn{Header: header, Width: width}
	}
	about := sheets.Sheet{Name: "概况", Columns: []sheets.SheetColumn{text("项目", 16), text("内容", 72)}}
	for _, line := range t.about() {
		about.Rows = append(about.Rows, []any{line[0], line[1]})
	}
	book := []sheets.Sheet{about}
	for i := range t.Tables {
		book = append(book, t.sheet(&t.Tables[i]))
	}
	definitions := sheets.Sheet{Name: "定义", Columns: []sheets.SheetColumn{text("指标", 18), text("定义", 72), text("来源", 24), text("Indicator", 24), text("Definition", 72)}}
	for _, d := range t.Definitions {
		definitions.Rows = append(definitions.Rows, []any{d.Names.Zh, d.Text.Zh, d.Source.Zh, d.Names.En, d.Text.En})
	}
	rules := sheets.Sheet{Name: "规则", Columns: []sheets.SheetColumn{text("规则", 34), text("值", 60)}}
	for _, r := range t.Rules.Statements() {
		rules.Rows = append(rules.Rows, []any{r.Rule, fmt.Sprint(r.Value)})
	}
	changes := sheets.Sheet{Name: "修订", Columns: []sheets.SheetColumn{
		text("版次", 14), text("时间", 20), text("修订说明", 48), text("表", 18), text("行", 18), text("指标", 18), text("修订前", 18), text("修订后", 18),
	}}
	for _, b := range t.corrections() {
		at := "草稿"
		if b.PublishedAt != nil {
			at = shanghaiTime(*b.PublishedAt)
		}
		for _, c := range b.Changes {
			changes.Rows = append(changes.Rows, []any{b.ID(), at, b.Correction, c.TableNames.Zh, c.RowNames.Zh, c.FigureNames.Zh, changed(c.Unit, c.Before), changed(c.Unit, c.After)})
		}
	}
	var out bytes.Buffer
	err = sheets.WriteWorkbook(&out, append(book, definitions, rules, changes))
	return out.Bytes(), err
}

func (t *bulletinText) sheet(table *directory.BulletinTable) sheets.Sheet {
	verdicts := hasVerdicts(table)
	s := sheets.Sheet{Name: table.Names.Zh, Columns: []sheets.SheetColumn{{Header: "项目", Width: 22}, {Header: "代码", Width: 26}}}
	if verdicts {
		s.Columns = append(s.Columns, sheets.SheetColumn{Header: "结论", Width: 12})
	}
	for _, c := range table.Columns {
		s.Columns = append(s.Columns, sheets.SheetColumn{Header: c.Names.Zh, Format: numberFormats[c.Unit]})
	}
	s.Columns = append(s.Columns, sheets.SheetColumn{Header: "说明", Width: 40})
	for i := range table.Rows {
		r := &table.Rows[i]
		row := []any{r.Names.Zh, r.Key}
		if verdicts {
			row = append(row, verdictName(r.Verdict))
		}
		for _, c := range table.Columns {
			if v, ok := r.Figures[c.Code]; ok {
				row = append(row, v)
			} else if r.Suppressed != "" {
				row = append(row, withheld)
			} else {
				row = append(row, nil)
			}
		}
		s.Rows = append(s.Rows, append(row, t.note(r)))
	}
	return s
}

// changed is a side of a change in words.
func changed(u directory.BulletinUnit, v any) string {
	switch v := v.(type) {
	case nil:
		return withheld
	case bool:
		if v {
			return "是"
		}
		return "否"
	case float64:
		return strconv.FormatFloat(byHundred(u, v), 'f', -1, 64) + unitName(u)
	case string:
		return codeName(v)
	}
	return fmt.Sprint(v)
}
