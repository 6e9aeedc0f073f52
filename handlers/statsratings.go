package handlers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"mime"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"qingfu/directory"
	"qingfu/sheets"
	"qingfu/statistics"
)

// coversKind asks whether the caller may see what is counted of a kind of listing in a
// region: the bureau that looks after the kind may, and that of statistics. Errors are
// those of [directory.Caller.Covers].
func (in *input) coversKind(a *api, kind directory.Kind, region string) error {
	if in.covers(a, directory.Scope{Bureau: directory.Statistics, Region: region}) == nil {
		return nil
	}
	return in.covers(a, directory.Scope{Bureau: directory.BureauOf(kind), Region: region})
}

// exportRatings answers with the ratings that figures are made of.
func (a *api) exportRatings(c *fiber.Ctx, in *input) error {
	from, to := in.month("from"), in.month("to")
	if from != 0 && to != 0 && to < from {
		in.refuse("to", directory.CodeTooSmall, from.String())
	}
	q := statistics.RatingQuery{
		Kind: directory.Kind(in.text("kind")), Region: in.region(a.Regions, "region"),
		Period: directory.Period{From: from, To: to}, Origin: directory.RatingOrigin(in.text("origin")),
	}
	if err := in.err(); err != nil {
		return err
	}
	if err := in.coversKind(a, q.Kind, q.Region); err != nil {
		return err
	}
	rows, err := a.Statistics.Ratings(c.UserContext(), q)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	format, mediaType := in.text("format"), mimeCSV
	if format == "csv" {
		err = sheets.WriteRows(&out, ratingColumns, ratingCells(rows))
	} else {
		mediaType = "application/x-ndjson"
		err = writeRatingLines(&out, rows)
	}
	if err != nil {
		return err
	}
	name := fmt.Sprintf("qingfu-ratings-%s-%s-%s-%s.%s", q.Kind, q.Region, from, to, format)
	c.Set(fiber.HeaderCacheControl, "private, no-cache")
	c.Set(fiber.HeaderContentDisposition, mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	return sendTagged(c, mediaType, out.Bytes())
}

// ratingColumns are the headings of the members of a [statistics.RatingRow].
var ratingColumns = []string{
	"评价编号", "月份", "日期", "类型", "市州代码", "县区代码", "服务类别", "机构编号", "服务编号", "来源", "等级", "状态", "规则", "计入满意率", "示例",
}

func ratingCells(rows iter.Seq2[statistics.RatingRow, error]) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		for r, err := range rows {
			cells := []string{
				r.ID, r.Month.String(), string(r.Day), string(r.Kind), r.Prefecture, r.Region, r.Category, r.Organization, r.Listing,
				string(r.Origin), strconv.Itoa(int(r.Level)), string(r.State), r.Rule, strconv.Itoa(r.Counted), strconv.Itoa(r.Demo),
			}
			if !yield(cells, err) {
				return
			}
		}
	}
}

func writeRatingLines(out *bytes.Buffer, rows iter.Seq2[statistics.RatingRow, error]) error {
	lines := json.NewEncoder(out)
	for r, err := range rows {
		if err != nil {
			return err
		}
		if err := lines.Encode(r); err != nil {
			return err
		}
	}
	return nil
}
