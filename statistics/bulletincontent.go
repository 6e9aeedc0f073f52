package statistics

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"qingfu/directory"
	"qingfu/store"
)

// bulletinKind is the kind of listing whose satisfaction bulletins are about, for which
// the policy sets the target 〔三·十一〕.
const bulletinKind = directory.DomesticServiceKind

// errMoving says that ratings of an ended period were decided about while its tables
// were counted, so that they do not go together.
var errMoving = &directory.Error{Kind: directory.Unavailable, What: "statistics", Cause: errors.New("the ratings of the period are changing")}

// gather counts what the bulletin of a period says, as the public may see it. The
// indicators are those of now, which cannot be counted for the past: a correction takes
// them over from the content that is published, nil where there is none.
func (s *Statistics) gather(ctx context.Context, p directory.Period, published *directory.BulletinContent) (directory.BulletinContent, error) {
	province := s.Regions.Province()
	kind, _ := directory.KindTerm(bulletinKind)
	name := p.Name()
	c := directory.BulletinContent{
		Title:  directory.Names{Zh: province.Names.Zh + kind.Names.Zh + "消费者满意度公报（" + name.Zh + "）", En: "Bulletin on consumer satisfaction with domestic services in Qinghai, " + name.En},
		Period: p, PeriodName: name, Region: province.Code, RegionNames: province.Names,
		Rules: directory.BulletinRules{
			Kind: bulletinKind, Target: directory.SatisfactionTarget, SatisfiedFrom: directory.SatisfiedFrom, MinRatings: directory.MinRatings,
			ComparableRatings: directory.ComparableRatings, Interval: "wilson", Difference: "newcombe", Confidence: 0.95,
			Suppression: suppressionRule, Holding: s.Rules,
		},
		Definitions: slices.Clone(bulletinDefinitions),
	}
	var err error
	if c.Demo, err = s.invented(ctx, p); err != nil {
		return c, err
	}
	const tries = 3
	for range tries {
		if c.Tables, c.AsOf, err = s.satisfactionTables(ctx, p); err != errMoving {
			break
		}
	}
	if err != nil {
		return c, err
	}
	tables, definitions, err := s.indicatorTables(ctx, published)
	c.Tables, c.Definitions = append(c.Tables, tables...), append(c.Definitions, definitions...)
	return c, err
}

// indicatorPrefix begins the codes of the tables and definitions of indicators.
const indicatorPrefix = "indicator"

// indicatorTables are the tables and definitions of the indicators: the province in
// detail, and the values of its prefectures, shares and counts apart.
func (s *Statistics) indicatorTables(ctx context.Context, published *directory.BulletinContent) (tables []directory.BulletinTable, definitions []directory.BulletinDefinition, err error) {
	if published != nil {
		return slices.DeleteFunc(published.Tables, func(t directory.BulletinTable) bool { return !strings.HasPrefix(t.Code, indicatorPrefix) }),
			slices.DeleteFunc(published.Definitions, func(d directory.BulletinDefinition) bool { return !strings.HasPrefix(d.Code, indicatorPrefix) }), nil
	}
	all, err := s.Indicators(ctx, s.Regions.Province().Code, true)
	if err != nil {
		return nil, nil, err
	}
	province := directory.BulletinTable{Code: indicatorPrefix, Names: directory.Names{Zh: "其他指标", En: "Other indicators"}, Columns: indicatorColumns, Rows: []directory.BulletinRow{}}
	shares := directory.BulletinTable{Code: indicatorPrefix + "_share", Names: directory.Names{Zh: "各市州其他指标（比例）", En: "Other indicators by prefecture: shares"}, Rows: []directory.BulletinRow{}}
	counts := directory.BulletinTable{Code: indicatorPrefix + "_count", Names: directory.Names{Zh: "各市州其他指标（数量）", En: "Other indicators by prefecture: counts"}, Rows: []directory.BulletinRow{}}
	for _, reg := range s.Regions.Children(s.Regions.Province().Code) {
		shares.Columns = append(shares.Columns, column(reg.Code, directory.ShareFigure, reg.Names.Zh, reg.Names.En))
		counts.Columns = append(counts.Columns, column(reg.Code, directory.CountFigure, reg.Names.Zh, reg.Names.En))
	}
	for i := range all.Items {
		item := &all.Items[i]
		province.Rows = append(province.Rows, indicatorRow(item))
		row := directory.BulletinRow{Key: string(item.Code), Names: item.Names, Figures: map[string]float64{}}
		for _, r := range item.Regions {
			if r.Value != nil {
				row.Figures[r.Code] = *r.Value
			}
		}
		if item.Unit == directory.ShareUnit {
			shares.Rows = append(shares.Rows, row)
		} else {
			counts.Rows = append(counts.Rows, row)
		}
		definitions = append(definitions, defineIndicator(&item.Indicator))
	}
	return []directory.BulletinTable{province, shares, counts}, definitions, nil
}

func indicatorRow(item *IndicatorRow) directory.BulletinRow {
	f := &item.Total.IndicatorFigure
	row := directory.BulletinRow{Key: string(item.Code), Names: item.Names, Verdict: f.Verdict, Figures: map[string]float64{}}
	if f.Value != nil {
		row.Figures[string(item.Unit)] = *f.Value
	}
	if item.Target != nil {
		row.Figures["target_"+string(item.Unit)] = item.Target.Value
	}
	for code, v := range map[string]*int64{"numerator": f.Numerator, "denominator": f.Denominator} {
		if v != nil {
			row.Figures[code] = float64(*v)
		}
	}
	if f.Known != nil {
		row.Figures["known"], row.Figures["known_of"] = float64(f.Known.Known), float64(f.Known.Of)
	}
	if f.PerThousand != nil {
		row.Figures["per_thousand"] = *f.PerThousand
	}
	return row
}

func defineIndicator(i *directory.Indicator) directory.BulletinDefinition {
	d := directory.BulletinDefinition{
		Code: indicatorPrefix + "/" + string(i.Code), Names: i.Names, Text: i.Definition,
		Source: directory.Names{Zh: "青政办〔2020〕62号，" + i.Section + "；按已公开的服务条目计算", En: "青政办〔2020〕62号, " + i.Section + "; computed from published listings"},
	}
	if i.Source == directory.ReportedSource {
		d.Source = directory.Names{Zh: "青政办〔2020〕62号，" + i.Section + "；由各县联网直报", En: "青政办〔2020〕62号, " + i.Section + "; reported by counties"}
	}
	return d
}

// invented tells whether demonstration data may be in the figures of a period.
func (s *Statistics) invented(ctx context.Context, p directory.Period) (bool, error) {
	listings, err := s.Store.Listings.Count(ctx, []store.Condition{store.Equal("demo", int64(1))})
	if err != nil || listings[0].N > 0 {
		return err == nil, err
	}
	ratings, err := s.Store.Ratings.Count(ctx, []store.Condition{
		store.Equal("demo", int64(1)), {Field: "month", Op: store.Min, Value: int64(p.From)}, {Field: "month", Op: store.Less, Value: int64(p.To) + 1},
	})
	return err == nil && ratings[0].N > 0, err
}

// A satisfactionCut is a table of a bulletin that is one of [Statistics.Satisfaction].
type satisfactionCut struct {
	code    string
	by      Cut
	names   directory.Names
	columns []directory.BulletinColumn
	from    directory.PeriodKind // the shortest period whose bulletin has it
}

var satisfactionCuts = []satisfactionCut{
	{"satisfaction_level", ByLevel, directory.Names{Zh: "各等级评价", En: "By level"}, levelColumns, directory.MonthPeriod},
	{"satisfaction_region", ByRegion, directory.Names{Zh: "各市州满意度", En: "By prefecture"}, ratingColumns, directory.MonthPeriod},
	{"satisfaction_category", ByCategory, directory.Names{Zh: "各类别满意度", En: "By category"}, ratingColumns, directory.MonthPeriod},
	{"satisfaction_origin", ByOrigin, directory.Names{Zh: "各来源满意度", En: "By origin"}, ratingColumns, directory.MonthPeriod},
	{"satisfaction_month", ByMonth, directory.Names{Zh: "各月满意度", En: "By month"}, ratingColumns, directory.QuarterPeriod},
	{"satisfaction_quarter", ByQuarter, directory.Names{Zh: "各季度满意度", En: "By quarter"}, ratingColumns, directory.YearPeriod},
}

// satisfactionTables counts the tables on satisfaction, and says when. It returns
// errMoving when their totals are not the same.
func (s *Statistics) satisfactionTables(ctx context.Context, p directory.Period) (tables []directory.BulletinTable, at time.Time, err error) {
	q := Query{Kind: bulletinKind, Region: s.Regions.Province().Code, Period: p, SatisfiedFrom: directory.SatisfiedFrom, Target: directory.SatisfactionTarget}
	all, err := s.Satisfaction(ctx, q, true)
	if err != nil {
		return nil, at, err
	}
	at = all.AsOf
	tables = append(tables, directory.BulletinTable{
		Code: "satisfaction", Names: directory.Names{Zh: "全省满意度", En: "The province"}, Columns: ratingColumns, Rows: []directory.BulletinRow{bulletinRow(&all.Total, ratingColumns)},
	})
	for _, cut := range satisfactionCuts {
		if p.Months() < directory.PeriodOf(cut.from, p.From).Months() {
			continue
		}
		q.By = cut.by
		t, err := s.Satisfaction(ctx, q, true)
		if err != nil {
			return nil, at, err
		}
		if !sameTotal(&all.Total, &t.Total) {
			return nil, at, errMoving
		}
		if t.AsOf.Before(at) {
			at = t.AsOf
		}
		table := directory.BulletinTable{Code: cut.code, Names: cut.names, Columns: cut.columns, Rows: []directory.BulletinRow{}}
		for i := range t.Rows {
			table.Rows = append(table.Rows, bulletinRow(&t.Rows[i], cut.columns))
		}
		tables = append(tables, table)
	}
	tables = append(tables, estimateTable(&all), responseTable(&all.Total), uncountedTable(&all.Total))
	return tables, at.UTC().Truncate(time.Millisecond), nil
}

// sameTotal tells whether two totals are of the same ratings.
func sameTotal(a, b *Row) bool {
	if a.Figures == nil || b.Figures == nil {
		return a.Suppressed == b.Suppressed
	}
	return *a.Levels == *b.Levels
}

// bulletinRow has the figures of a row for which there are columns.
func bulletinRow(r *Row, columns []directory.BulletinColumn) directory.BulletinRow {
	out := directory.BulletinRow{Key: r.Key, Names: r.Names, Suppressed: r.Suppressed, Figures: map[string]float64{}}
	f := r.Figures
	if f == nil {
		return out
	}
	out.Verdict = f.Verdict
	out.Figures["n"] = float64(f.N)
	for code, v := range map[string]*float64{"share": f.Share, "low": f.Low, "high": f.High, "mean": f.Mean} {
		if v != nil {
			out.Figures[code] = *v
		}
	}
	if f.Levels != nil {
		for i, n := range f.Levels {
			out.Figures[levelCode(i+1)] = float64(n)
		}
	}
	if f.Needed != nil {
		out.Figures["needed"] = float64(*f.Needed)
	}
	if c := f.Change; c != nil {
		out.Figures["share_before"], out.Figures["change"], out.Figures["change_low"], out.Figures["change_high"] = c.Share, c.Difference, c.Low, c.High
	}
	maps.DeleteFunc(out.Figures, func(code string, _ float64) bool {
		return !slices.ContainsFunc(columns, func(c directory.BulletinColumn) bool { return c.Code == code })
	})
	return out
}

func levelCode(level int) string { return "level_" + strconv.Itoa(level) }

func estimateTable(t *Table) directory.BulletinTable {
	out := directory.BulletinTable{Code: "estimate", Names: directory.Names{Zh: "全省加权估计", En: "Weighted estimates of the province"}, Columns: estimateColumns, Rows: []directory.BulletinRow{}}
	names := map[Weights]directory.Names{ByPopulation: {Zh: "按人口加权", En: "By population"}, ByBookings: {Zh: "按完成的预约加权", En: "By completed bookings"}}
	for _, e := range t.PostStratified {
		row := directory.BulletinRow{Key: string(e.Weights), Names: names[e.Weights], Suppressed: e.Suppressed, Figures: map[string]float64{}}
		if f := e.EstimateFigures; f != nil {
			row.Verdict = f.Verdict
			row.Figures = map[string]float64{
				"share": f.Share, "low": f.Low, "high": f.High, "design_effect": f.DesignEffect, "effective_n": f.EffectiveN, "strata": float64(f.Strata), "covered": f.Covered,
			}
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

func responseTable(total *Row) directory.BulletinTable {
	out := directory.BulletinTable{Code: "response", Names: directory.Names{Zh: "评价率", En: "Response"}, Columns: responseColumns, Rows: []directory.BulletinRow{}}
	add := func(key string, names directory.Names, of func(*Figures) *Response) {
		row := directory.BulletinRow{Key: key, Names: names, Suppressed: total.Suppressed, Figures: map[string]float64{}}
		if total.Figures != nil {
			if r := of(total.Figures); r != nil {
				row.Figures["asked"], row.Figures["rated"] = float64(r.Asked), float64(r.Rated)
				if r.Rate != nil {
					row.Figures["rate"] = *r.Rate
				}
			}
		}
		out.Rows = append(out.Rows, row)
	}
	add("bookings", directory.Names{Zh: "完成的预约", En: "Completed bookings"}, func(f *Figures) *Response { return f.Bookings })
	add("invitations", directory.Names{Zh: "评价邀请", En: "Invitations"}, func(f *Figures) *Response { return f.Invitations })
	return out
}

func uncountedTable(total *Row) directory.BulletinTable {
	out := directory.BulletinTable{Code: "uncounted", Names: directory.Names{Zh: "未计入的评价", En: "Ratings that do not count"}, Columns: uncountedColumns, Rows: []directory.BulletinRow{}}
	for _, rule := range directory.RatingRuleTerms {
		row := directory.BulletinRow{Key: rule.Code, Names: rule.Names, Suppressed: total.Suppressed, Figures: map[string]float64{}}
		if f := total.Figures; f != nil {
			row.Figures["held"], row.Figures["excluded"] = float64(f.Held[rule.Code]), float64(f.Excluded[rule.Code])
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

func column(code string, unit directory.BulletinUnit, zh, en string) directory.BulletinColumn {
	return directory.BulletinColumn{Code: code, Names: directory.Names{Zh: zh, En: en}, Unit: unit}
}

// The columns of the tables.
var (
	shareColumns = []directory.BulletinColumn{
		column("n", directory.CountFigure, "评价数", "Ratings"), column("share", directory.ShareFigure, "满意率", "Satisfied"),
		column("low", directory.ShareFigure, "区间下限", "Lower bound"), column("high", directory.ShareFigure, "区间上限", "Upper bound"),
	}
	levelColumns = []directory.BulletinColumn{
		shareColumns[0], column("share", directory.ShareFigure, "占比", "Share"), shareColumns[2], shareColumns[3],
	}
	ratingColumns = func() []directory.BulletinColumn {
		columns := append(shareColumns[:4:4],
			column("mean", directory.LevelFigure, "平均等级", "Mean level"), column("share_before", directory.ShareFigure, "上期满意率", "Period before"),
			column("change", directory.PointsFigure, "与上期之差", "Change"), column("change_low", directory.PointsFigure, "差的下限", "Change, lower"),
			column("change_high", directory.PointsFigure, "差的上限", "Change, upper"), column("needed", directory.CountFigure, "还需评价数", "Needed"))
		for level := len(directory.Levels); level > 0; level-- {
			columns = append(columns, directory.BulletinColumn{Code: levelCode(level), Names: directory.Names{Zh: directory.Levels[level-1].Zh, En: directory.Levels[level-1].En}, Unit: directory.CountFigure})
		}
		return columns
	}()
	estimateColumns = append(shareColumns[1:4:4],
		column("effective_n", directory.RatioFigure, "有效样本数", "Effective ratings"), column("design_effect", directory.RatioFigure, "设计效应", "Design effect"),
		column("strata", directory.CountFigure, "有评价的层数", "Strata"), column("covered", directory.ShareFigure, "覆盖的权重", "Weight covered"))
	responseColumns = []directory.BulletinColumn{
		column("asked", directory.CountFigure, "完成或发出", "Completed or made"), column("rated", directory.CountFigure, "其中已评价", "Rated"), column("rate", directory.ShareFigure, "评价率", "Response rate"),
	}
	indicatorColumns = []directory.BulletinColumn{
		column("share", directory.ShareFigure, "比例", "Share"), column("target_share", directory.ShareFigure, "目标比例", "Target share"),
		column("count", directory.CountFigure, "数量", "Count"), column("target_count", directory.CountFigure, "目标数量", "Target count"),
		column("numerator", directory.CountFigure, "分子", "Numerator"), column("denominator", directory.CountFigure, "分母", "Denominator"),
		column("known", directory.CountFigure, "已知", "Known"), column("known_of", directory.CountFigure, "应有", "Out of"),
		column("per_thousand", directory.RatioFigure, "每千人", "Per 1000 people"),
	}
	uncountedColumns = []directory.BulletinColumn{column("held", directory.CountFigure, "待核查", "Held"), column("excluded", directory.CountFigure, "不计入", "Excluded")}
)

// suppressionRule says what is kept from the public, see [directory.Disclosure].
var suppressionRule = directory.Names{
	Zh: "评价少于10条的单元格不公开；能据以算出它们的其他单元格也不公开。",
	En: "Cells with fewer than 10 ratings are kept back, and so are others from which these could be computed.",
}

func defined(code, zh, en, textZh, textEn string) directory.BulletinDefinition {
	return directory.BulletinDefinition{Code: code, Names: directory.Names{Zh: zh, En: en}, Text: directory.Names{Zh: textZh, En: textEn}}
}

// bulletinDefinitions say what the figures are.
var bulletinDefinitions = []directory.BulletinDefinition{
	defined("n", "评价数", "Ratings",
		"本期内给出、由完成的预约或一次性邀请证明、已公开的评价数；每次服务只评价一次。按来源的表另列没有证明的公开评价，不计入其他各表。评价归入给出的月份（青海时间）和服务所在的县。",
		"Ratings given in the period that a completed booking or a one-time invitation proves, and that are public; a service is rated once. Open ratings, which nothing proves, stand in the table by origin alone. A rating belongs to the month in which it was given, in Qinghai, and to the county of its service."),
	defined("share", "满意率", "Satisfied",
		"评价数中等级为“满意”或“非常满意”（4级及以上，五级制）的比例。等级采用政务服务“好差评”五级（国办发〔2019〕51号）。",
		"The share of ratings of the levels satisfied and very satisfied (4 and 5 of 5, the government service scale of 国办发〔2019〕51号)."),
	defined("interval", "区间", "Interval",
		"满意率的95%置信区间（Wilson得分区间）：评价越少，区间越宽。少于40条的比例不宜相互比较。",
		"The Wilson 95% score interval of the share: the fewer ratings, the wider. Shares of fewer than 40 ratings should not be compared."),
	defined("verdict", "结论", "Verdict",
		"与目标85%（青政办〔2020〕62号，三·十一）相比：区间下限达到目标为“达标”，上限低于目标为“未达标”，目标在区间之内为“未定”；少于10条为“样本不足”，不公布比例。",
		"Against the target of 85% (青政办〔2020〕62号, 三·十一): met when the lower bound reaches it, not met when the upper bound is below it, uncertain when it lies within; too few below 10 ratings, of which no share is published."),
	defined("mean", "平均等级", "Mean level", "1（非常不满意）至5（非常满意）的平均数。", "The mean of 1 (very dissatisfied) to 5 (very satisfied)."),
	defined("change", "与上期之差", "Change",
		"与前一个月、季度或年的满意率之差及其95%置信区间（Newcombe方法10）；两期之一少于10条或不公开时不列。区间含0时，不能认为有变化。",
		"The difference from the share of the month, quarter or year before, with its 95% interval by Newcombe's method 10; none where one of the two has fewer than 10 ratings or is not shown. When 0 lies within, nothing is known to have changed."),
	defined("needed", "还需评价数", "Needed",
		"满意率保持不变时，还需多少条评价结论才能确定；样本不足时为还差多少条才公布比例。",
		"How many more ratings would settle the verdict if the share stayed what it is; with too few, how many are missing for a share."),
	defined("estimate", "加权估计", "Weighted estimate",
		"各地的满意率按其人口（2020年人口普查）或完成的预约加权，而不按评价数；设计效应为Kish公式，区间以有效样本数计算。没有评价的地方不在其中，“覆盖的权重”说明其余占多少。",
		"The shares of the parts weigh by their people (census of 2020) or completed bookings and not by their ratings. The design effect is Kish's, and the interval is by the effective number. Parts without ratings are left out; the weight covered says how much is left."),
	defined("response", "评价率", "Response rate",
		"本期完成的预约、发出的邀请中，后来得到评价的比例。",
		"How many of the bookings completed, and of the invitations made, in the period led to a rating, whenever."),
	defined("uncounted", "未计入的评价", "Ratings that do not count",
		"规则查出异常、等待工作人员核查的，或经核查决定不计入的评价，按最先查出的规则计数。阈值见“规则”。",
		"Ratings in which a rule has found something and that wait for an official, or that an official has excluded, by the first rule. The thresholds are under Rules."),
	defined("indicator", "其他指标", "Other indicators",
		"编制本公报首版时的数值，不限于本期，修订时沿用。“已知”为写明有关数据的条目数（或已报的县数），“应有”为全部。",
		"As they were when the first revision was made, whatever the period; corrections take them over. Known is how many listings state what is counted, or how many counties have reported, out of all."),
	defined("suppressed", "不公开", "Suppressed",
		"评价少于10条的单元格，以及能据以推算出它们的其他单元格，不公开；两者不加区分。",
		"Cells with fewer than 10 ratings, and others from which these could be computed, are kept back; the two are not told apart."),
}
