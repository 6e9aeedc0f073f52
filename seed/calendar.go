package seed

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"strings"

	"qingfu/directory"
)

//go:embed holidays.csv
var holidaysCSV string

// Calendar returns the public holidays and 调休 working days of 2025 and 2026 as
// the State Council set them (国办发明电〔2024〕12号 and 〔2025〕7号). Other years
// are left out: the schedule of 2027 could not be established for this release,
// so its days count as ordinary ones until its lines are added to holidays.csv.
// An error means that the embedded file is broken.
func Calendar() (_ *directory.Calendar, err error) {
	defer directory.Wrap(&err, "seed: calendar")
	rows, err := csv.NewReader(strings.NewReader(holidaysCSV)).ReadAll()
	if err != nil {
		return nil, err
	}
	days := make(map[directory.Date]directory.DayType, len(rows))
	for _, row := range rows[1:] { // date, type, name, source
		date, kind := directory.Date(row[0]), directory.DayType(row[1])
		if !date.Valid() || kind != directory.Holiday && kind != directory.Workday || days[date] != "" {
			return nil, fmt.Errorf("bad line %q", row)
		}
		days[date] = kind
	}
	return directory.NewCalendar(days), nil
}
