package sheets

import (
	"slices"
	"strings"
	"sync"

	"qingfu/directory"
)

// The vocabularies that package directory knows only as codes, with the names
// of docs/listing-format.md.
var (
	brandTypes = vocabulary(
		string(directory.QingBrand), "青字号",
		string(directory.TimeHonouredQinghai), "青海老字号",
		string(directory.TimeHonouredChina), "中华老字号",
		string(directory.GeographicalIndication), "地理标志")
	certificateStatuses = vocabulary(
		string(directory.CertificateValid), "有效",
		string(directory.CertificateExpired), "已过期",
		string(directory.CertificateRevoked), "已撤销")
	operations = vocabulary(
		string(directory.PublicPublic), "公办公营",
		string(directory.PublicPrivate), "公建民营",
		string(directory.PrivateAided), "民办公助",
		string(directory.PrivatePrivate), "民办")
	recordStates = vocabulary(
		string(directory.OnRecord), "已备案",
		string(directory.RecordFiled), "备案中",
		string(directory.RecordEnded), "已注销",
		string(directory.NotOnRecord), "未备案")
	classGroups = vocabulary(
		string(directory.InfantClass), "乳儿班",
		string(directory.ToddlerClass), "托小班",
		string(directory.SeniorClass), "托大班",
		string(directory.MixedClass), "混合班")
	childcareModes = vocabulary(
		string(directory.FullDay), "全日托",
		string(directory.HalfDay), "半日托",
		string(directory.ByHour), "计时托",
		string(directory.Occasion), "临时托")
	employments = vocabulary(
		string(directory.Employees), "员工制",
		string(directory.Agency), "中介")
	streetLevels = vocabulary(
		string(directory.NationalStreet), "国家级",
		string(directory.ProvincialStreet), "省级特色")
	statuses = vocabulary(
		string(directory.Draft), "草稿",
		string(directory.Published), "已发布",
		string(directory.Suspended), "已暂停",
		string(directory.Expired), "已过期",
		string(directory.Archived), "已归档")

	// grades have the numbers of the line format as codes.
	grades = vocabulary("0", "未评定", "1", "一级", "2", "二级", "3", "三级", "4", "四级", "5", "五级")
	yesNo  = vocabulary("true", "是", "false", "否")
	datums = vocabulary("wgs84", "WGS-84", "gcj02", "GCJ-02")
)

// otherWords are what people write for a term besides its name and its code.
var otherWords = map[string]string{
	"有": "是", "yes": "是", "y": "是", "1": "是", "√": "是", "无": "否", "no": "否", "n": "否", "0": "否", "×": "否",
	"㎡": "平方米", "m²": "平方米", "平米": "平方米", "日": "天",
	"高德": "GCJ-02", "腾讯": "GCJ-02", "gps": "WGS-84",
}

func vocabulary(pairs ...string) []directory.Term {
	var out []directory.Term
	for pair := range slices.Chunk(pairs, 2) {
		out = append(out, directory.Term{Code: pair[0], Names: directory.Names{Zh: pair[1]}})
	}
	return out
}

// categoriesOf returns the categories of a kind, or all where there is no kind.
func categoriesOf(kind directory.Kind) []directory.Term {
	var out []directory.Term
	for _, c := range directory.Categories {
		if kind == "" || c.Kind == kind {
			out = append(out, c.Term)
		}
	}
	return out
}

// codeOf returns the code of a term that is given by its name or its code, or
// the text itself where there is no such term.
func codeOf(terms []directory.Term, text string) (code string, ok bool) {
	word := plain(text)
	for _, t := range terms {
		if word == t.Names.Zh || word == t.Code {
			return t.Code, true
		}
	}
	if other, ok := otherWords[strings.ToLower(word)]; ok {
		word = other
	}
	for _, t := range terms {
		if strings.EqualFold(bare(word), bare(t.Names.Zh)) || strings.EqualFold(bare(word), bare(t.Code)) {
			return t.Code, true
		}
	}
	return text, false
}

// bare leaves out what people write differently in names such as WGS-84.
func bare(word string) string { return bareMarks.Replace(word) }

var bareMarks = strings.NewReplacer("-", "", "_", "", " ", "")

// labelOf returns the Chinese name of a code, or the code where it is none.
func labelOf(terms []directory.Term, code string) string {
	for _, t := range terms {
		if t.Code == code {
			return t.Names.Zh
		}
	}
	return code
}

// labels writes what a cell may hold for a FieldError's Limit. Many errors share
// the text.
func labels(terms []directory.Term) string {
	if len(terms) == 0 {
		return ""
	}
	if known, ok := written.Load(&terms[0]); ok {
		return known.(string)
	}
	out := make([]string, len(terms))
	for i, t := range terms {
		out[i] = t.Names.Zh
	}
	text := strings.Join(out, "、")
	written.Store(&terms[0], text)
	return text
}

var written sync.Map // the first of some terms to their names
