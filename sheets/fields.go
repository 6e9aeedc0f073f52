package sheets

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"qingfu/directory"
)

// cell is a cell that is being read.
type cell struct {
	text   string // "" clears the fields of the column
	date   bool   // Excel shows it as a day
	column *Column
	line   *line
}

// line is what is known of the row that is being read besides its listing.
type line struct {
	places *places
	errors []directory.FieldError
	fields []*Column // of the errors

	// The position needs three cells.
	lat, lon, datum cell
}

func (c *cell) wrong(pointer, code, limit string) {
	if len(c.line.errors) >= maxErrors {
		return
	}
	c.line.errors = append(c.line.errors, directory.FieldError{Pointer: pointer, Code: code, Limit: limit})
	c.line.fields = append(c.line.fields, c.column)
}

// items parts a cell that holds several things.
func (c *cell) items(at string) []string {
	out := split(c.text, at, false)
	if len(out) > maxItems {
		c.wrong(c.column.Pointers[0], directory.CodeTooLong, strconv.Itoa(maxItems))
		return nil
	}
	return out
}

// The constructors below make a column whose field is a text, a number and so
// on. The functions that they take return the address of the field, so that one
// function serves reading and writing; the kind's part is there in both.

// lostDigits is a long number after Excel has taken it for one.
var lostDigits = regexp.MustCompile(`^[0-9]\.[0-9]+E\+[0-9]+$`)

// textFormat is the advice where Excel has changed what somebody typed.
const textFormat = "（请先把单元格设为“文本”格式再填写）"

func textColumn(c Column, field func(*directory.Listing) *string) Column {
	pointer := c.Pointers[0]
	c.read = func(cell *cell, l *directory.Listing) {
		*field(l) = cell.text
		if cell.date || cell.text != "" && c.form == codeForm && lostDigits.MatchString(cell.text) {
			cell.wrong(pointer, directory.CodeFormat, c.Example+textFormat)
		}
	}
	c.write = func(_ *places, l *directory.Listing) string { return *field(l) }
	return c
}

// phoneColumn is a text column; blanks and full-width signs are put right.
func phoneColumn(c Column) Column {
	c = textColumn(c, func(l *directory.Listing) *string { return &l.Phone })
	read := c.read
	c.read = func(cell *cell, l *directory.Listing) {
		cell.text = strings.ReplaceAll(plain(cell.text), " ", "")
		read(cell, l)
	}
	return c
}

func dateColumn(c Column, field func(*directory.Listing) *directory.Date) Column {
	pointer := c.Pointers[0]
	c.form = dateForm
	c.read = func(cell *cell, l *directory.Listing) {
		d, ok := day(cell.text)
		if *field(l) = d; !ok && d != "" {
			cell.wrong(pointer, directory.CodeFormat, dayForm)
		}
	}
	c.write = func(_ *places, l *directory.Listing) string { return string(*field(l)) }
	return c
}

// termColumn is for one of a vocabulary. What is none is kept as it is, so that
// the row shows what stands there.
func termColumn[T ~string](c Column, terms []directory.Term, field func(*directory.Listing) *T) Column {
	pointer := c.Pointers[0]
	c.Terms = terms
	c.read = func(cell *cell, l *directory.Listing) {
		*field(l) = ""
		if cell.text == "" {
			return
		}
		code, ok := codeOf(terms, cell.text)
		if *field(l) = T(code); !ok {
			cell.wrong(pointer, directory.CodeValue, labels(terms))
		}
	}
	c.write = func(_ *places, l *directory.Listing) string { return labelOf(terms, string(*field(l))) }
	return c
}

// termsColumn is for several of a vocabulary.
func termsColumn[T ~string](c Column, terms []directory.Term, field func(*directory.Listing) *[]T) Column {
	pointer := c.Pointers[0]
	c.Terms = terms
	c.read = func(cell *cell, l *directory.Listing) {
		var out []T
		for i, item := range cell.items(betweenTerms) {
			code, ok := codeOf(terms, item)
			if out = append(out, T(code)); !ok {
				cell.wrong(pointer+"/"+strconv.Itoa(i), directory.CodeValue, labels(terms))
			}
		}
		*field(l) = out
	}
	c.write = func(_ *places, l *directory.Listing) string {
		return write(*field(l), func(code T) string { return labelOf(terms, string(code)) })
	}
	return c
}

// write writes the items of a list.
func write[T any](items []T, item func(T) string) string {
	out := make([]string, len(items))
	for i := range items {
		out[i] = item(items[i])
	}
	return strings.Join(out, "；")
}

// countColumn is for a number that may be unknown.
func countColumn(c Column, field func(*directory.Listing) **int) Column {
	pointer := c.Pointers[0]
	c.form = numberForm
	c.read = func(cell *cell, l *directory.Listing) {
		*field(l) = nil
		if cell.text == "" {
			return
		}
		if n, ok := whole(cell.text); ok {
			*field(l) = &n
		} else {
			cell.wrong(pointer, directory.CodeFormat, c.Example)
		}
	}
	c.write = func(_ *places, l *directory.Listing) string {
		if n := *field(l); n != nil {
			return strconv.Itoa(*n)
		}
		return ""
	}
	return c
}

// yesColumn is for what is so or not known to be so.
func yesColumn(c Column, field func(*directory.Listing) *bool) Column {
	pointer := c.Pointers[0]
	c.Terms = yesNo
	c.read = func(cell *cell, l *directory.Listing) {
		*field(l) = false
		if cell.text == "" {
			return
		}
		code, ok := codeOf(yesNo, cell.text)
		if *field(l) = code == "true"; !ok {
			cell.wrong(pointer, directory.CodeValue, labels(yesNo))
		}
	}
	c.write = func(_ *places, l *directory.Listing) string {
		if *field(l) {
			return "是"
		}
		return ""
	}
	return c
}

// listColumn is for items of which each is read and written by itself.
func listColumn[T any](c Column, field func(*directory.Listing) *[]T, read func(cell *cell, pointer, item string) T, writeItem func(T) string) Column {
	pointer := c.Pointers[0]
	c.read = func(cell *cell, l *directory.Listing) {
		var out []T
		for i, item := range cell.items(betweenItems) {
			out = append(out, read(cell, pointer+"/"+strconv.Itoa(i), item))
		}
		*field(l) = out
	}
	c.write = func(_ *places, l *directory.Listing) string { return write(*field(l), writeItem) }
	return c
}

func readAlias(_ *cell, _, item string) string { return unescape(item) }

// fields parts an item such as 日常保洁|小时|40-60元. It tells whether there are
// as many as there have to be; those that may be missing are empty.
func fields(item string, least, most int) ([]string, bool) {
	out := split(item, betweenFields, true)
	for i := range out {
		out[i] = unescape(out[i])
	}
	ok := len(out) >= least && len(out) <= most
	return slices.Concat(out, make([]string, most))[:most], ok
}

// writeFields is the opposite. Empty fields at the end are left out.
func writeFields(values ...string) string {
	for len(values) > 0 && values[len(values)-1] == "" {
		values = values[:len(values)-1]
	}
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = escape(v)
	}
	return strings.Join(out, "|")
}

// offeringsColumn is for name|unit|price|category.
func offeringsColumn(c Column, kind directory.Kind) Column {
	categories := categoriesOf(kind)
	c.fields = map[string][]directory.Term{"/unit": directory.Units, "/category": categories}
	field := func(l *directory.Listing) *[]directory.Offering { return &l.Offerings }
	read := func(cell *cell, pointer, item string) (o directory.Offering) {
		f, ok := fields(item, 3, 4)
		if !ok {
			cell.wrong(pointer, directory.CodeFormat, c.Example)
			return directory.Offering{Name: item}
		}
		o.Name = f[0]
		if code, ok := codeOf(directory.Units, strings.TrimPrefix(f[1], "每")); f[1] != "" {
			if o.Unit = directory.Unit(code); !ok {
				cell.wrong(pointer+"/unit", directory.CodeValue, labels(directory.Units))
			}
		}
		if o.PriceMin, o.PriceMax, ok = prices(f[2]); !ok {
			cell.wrong(pointer+"/price_min", directory.CodeFormat, "40元、40-60元")
		}
		if f[3] != "" {
			if o.Category, ok = codeOf(categories, f[3]); !ok {
				cell.wrong(pointer+"/category", directory.CodeValue, labels(categories))
			}
		}
		return o
	}
	return listColumn(c, field, read, func(o directory.Offering) string {
		return writeFields(o.Name, labelOf(directory.Units, string(o.Unit)), writePrices(o.PriceMin, o.PriceMax), labelOf(categories, o.Category))
	})
}

// certificatesColumn is for grantor|number|days|status.
func certificatesColumn(c Column) Column {
	c.fields = map[string][]directory.Term{"/status": certificateStatuses}
	field := func(l *directory.Listing) *[]directory.Certificate { return &l.Brand.Certificates }
	read := func(cell *cell, pointer, item string) (out directory.Certificate) {
		f, ok := fields(item, 4, 4)
		if !ok {
			cell.wrong(pointer, directory.CodeFormat, c.Example)
			return directory.Certificate{Grantor: item}
		}
		out.Grantor, out.Number = f[0], f[1]
		if f[2] != "" {
			from, to, two := strings.Cut(strings.NewReplacer("到", "至", "~", "至").Replace(plain(f[2])), "至")
			var fromOK, toOK bool
			out.ValidFrom, fromOK = day(from)
			out.ValidUntil, toOK = day(to)
			if !two || !fromOK && out.ValidFrom != "" || !toOK && out.ValidUntil != "" {
				cell.wrong(pointer+"/valid_from", directory.CodeFormat, "2024-01-01至2028-12-31")
			}
		}
		if f[3] != "" {
			code, ok := codeOf(certificateStatuses, f[3])
			if out.Status = directory.CertificateStatus(code); !ok {
				cell.wrong(pointer+"/status", directory.CodeValue, labels(certificateStatuses))
			}
		}
		return out
	}
	return listColumn(c, field, read, func(k directory.Certificate) string {
		span := ""
		if k.ValidFrom != "" || k.ValidUntil != "" {
			span = string(k.ValidFrom) + "至" + string(k.ValidUntil)
		}
		// All four are written, even without a status, which every one must have.
		return strings.Join([]string{escape(k.Grantor), escape(k.Number), escape(span), labelOf(certificateStatuses, string(k.Status))}, "|")
	})
}

// classesColumn is for group|capacity|vacancies.
func classesColumn(c Column) Column {
	c.fields = map[string][]directory.Term{"/group": classGroups}
	field := func(l *directory.Listing) *[]directory.ChildcareClass { return &l.Childcare.Classes }
	read := func(cell *cell, pointer, item string) (out directory.ChildcareClass) {
		f, ok := fields(item, 2, 3)
		if !ok {
			cell.wrong(pointer, directory.CodeFormat, c.Example)
			return directory.ChildcareClass{Group: directory.ClassGroup(item)}
		}
		if f[0] != "" {
			code, ok := codeOf(classGroups, f[0])
			if out.Group = directory.ClassGroup(code); !ok {
				cell.wrong(pointer+"/group", directory.CodeValue, labels(classGroups))
			}
		}
		if out.Capacity, ok = whole(f[1]); !ok {
			cell.wrong(pointer+"/capacity", directory.CodeFormat, "45")
		}
		if out.Vacancies, ok = whole(f[2]); !ok && f[2] != "" {
			cell.wrong(pointer+"/vacancies", directory.CodeFormat, "6")
		}
		return out
	}
	return listColumn(c, field, read, func(k directory.ChildcareClass) string {
		return labelOf(classGroups, string(k.Group)) + "|" + strconv.Itoa(k.Capacity) + "|" + strconv.Itoa(k.Vacancies)
	})
}

// hoursColumn leaves the special days alone, which have a column of their own.
func hoursColumn(c Column) Column {
	c.read = func(cell *cell, l *directory.Listing) {
		h := &directory.Hours{}
		if cell.text != "" {
			read, twice, ok := readHours(cell.text)
			switch {
			case ok:
				h = read
			case twice != "":
				cell.wrong("/hours", directory.CodeDuplicate, twice)
			default:
				cell.wrong("/hours", directory.CodeFormat, hoursForm)
			}
		}
		if l.Hours != nil {
			h.Exceptions = l.Hours.Exceptions
		}
		l.Hours = h
	}
	c.write = func(_ *places, l *directory.Listing) string { return writeHours(l.Hours) }
	return c
}

func specialColumn(c Column) Column {
	field := func(l *directory.Listing) *[]directory.HoursException {
		if l.Hours == nil {
			l.Hours = &directory.Hours{}
		}
		return &l.Hours.Exceptions
	}
	read := func(cell *cell, pointer, item string) directory.HoursException {
		e, ok := readSpecial(item)
		if !ok {
			cell.wrong(pointer, directory.CodeFormat, specialForm)
		}
		return e
	}
	return listColumn(c, field, read, writeSpecial)
}

func regionColumn(c Column) Column {
	pointer := c.Pointers[0]
	c.read = func(cell *cell, l *directory.Listing) {
		l.Region = cell.text
		if cell.text != "" {
			l.Region = cell.region(pointer)
		}
	}
	c.write = func(p *places, l *directory.Listing) string {
		if l.Region == "" {
			return ""
		}
		return p.path(l.Region)
	}
	return c
}

// region reads the whole cell as one region.
func (c *cell) region(pointer string) string {
	found := c.line.places.find(c.text)
	switch {
	case found.same != nil:
		c.wrong(pointer, CodeAmbiguous, found.listed)
	case found.code == "":
		c.wrong(pointer, directory.CodeValue, "“地区”表中的代码或名称")
	default:
		return found.code
	}
	return c.text
}

func countiesColumn(c Column) Column {
	pointer := c.Pointers[0]
	c.read = func(whole *cell, l *directory.Listing) {
		var out []string
		for i, item := range whole.items(betweenTerms) {
			one := *whole
			one.text = item
			out = append(out, one.region(pointer+"/"+strconv.Itoa(i)))
		}
		l.DomesticService.CountiesServed = out
	}
	c.write = func(p *places, l *directory.Listing) string {
		return write(l.DomesticService.CountiesServed, p.name)
	}
	return c
}

// The columns of the position only note what they hold; see [line.place].
func latColumn(c Column) Column {
	c.form = numberForm
	c.read = func(cell *cell, _ *directory.Listing) { cell.line.lat = *cell }
	c.write = func(_ *places, l *directory.Listing) string { return degrees(l.Location, true) }
	return c
}

func lonColumn(c Column) Column {
	c.form = numberForm
	c.read = func(cell *cell, _ *directory.Listing) { cell.line.lon = *cell }
	c.write = func(_ *places, l *directory.Listing) string { return degrees(l.Location, false) }
	return c
}

func datumColumn(c Column) Column {
	c.Terms = datums
	c.read = func(cell *cell, _ *directory.Listing) { cell.line.datum = *cell }
	c.write = func(_ *places, l *directory.Listing) string {
		if l.Location == nil {
			return ""
		}
		return "WGS-84"
	}
	return c
}

func degrees(p *directory.Point, lat bool) string {
	switch {
	case p == nil:
		return ""
	case lat:
		return strconv.FormatFloat(p.Lat, 'f', -1, 64)
	}
	return strconv.FormatFloat(p.Lon, 'f', -1, 64)
}

// place sets the position when the table has a column of it.
func (n *line) place(l *directory.Listing) {
	if n.lat.column == nil && n.lon.column == nil {
		return
	}
	l.Location = nil
	datum := "wgs84"
	if slices.ContainsFunc(n.errors, func(f directory.FieldError) bool { return within(f.Pointer, "/location") }) {
		return
	}
	wrong := len(n.errors)
	if n.datum.text != "" {
		var ok bool
		if datum, ok = codeOf(datums, n.datum.text); !ok {
			n.datum.wrong("/location", directory.CodeValue, labels(datums))
		}
	}
	if n.lat.text == "" && n.lon.text == "" {
		return
	}
	lat := n.degrees(&n.lat, "/location/lat", "36.61")
	lon := n.degrees(&n.lon, "/location/lon", "101.79")
	// The cell that is there says what it needs; the other may have no column.
	if n.lat.text == "" {
		n.lon.wrong("/location/lon", directory.CodeNeeds, "/location/lat")
	} else if n.lon.text == "" {
		n.lat.wrong("/location/lat", directory.CodeNeeds, "/location/lon")
	}
	if len(n.errors) > wrong {
		return
	}
	p := directory.Point{Lat: lat, Lon: lon}
	if datum == "gcj02" {
		p = directory.FromGCJ02(p)
		p.Lat, p.Lon = math.Round(p.Lat*1e7)/1e7, math.Round(p.Lon*1e7)/1e7 // to a centimetre
	}
	l.Location = &p
}

// degrees reads a coordinate; an empty cell is place's business.
func (n *line) degrees(c *cell, pointer, example string) float64 {
	v, ok := number(c.text)
	if !ok && c.text != "" {
		c.wrong(pointer, directory.CodeFormat, example)
	}
	return v
}
