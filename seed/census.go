package seed

// Census returns the inhabitants by region in the census of 2020 (青海统计年鉴2022,
// table 3-8): of the province, of its prefectures, and of the counties of 西宁 and
// 海东. Those of other counties were not seen.
func Census() map[string]int64 {
	counted := map[string]int64{
		"630102": 489372, "630103": 325813, "630104": 326866, "630105": 417701, "630106": 395043, "630121": 403368, "630123": 109802,
		"630202": 240949, "630203": 117883, "630222": 326964, "630223": 337941, "630224": 200474, "630225": 134260,
		"632200": 265322, "632300": 276215, "632500": 446996, "632600": 215573, "632700": 425199, "632800": 468216,
	}
	sums := map[string]int64{}
	for code, n := range counted {
		sums["630000"] += n
		if code[4:] != "00" { // a county, whose prefecture is the sum
			sums[code[:4]+"00"] += n
		}
	}
	for code, n := range sums {
		counted[code] = n
	}
	return counted
}
