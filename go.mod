module qingfu

go 1.26.8
