package main

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// fromFile lets every setting be given by a file, as secrets of containers are: the
// variable NAME_FILE names the file that holds the value of NAME. Errors name the
// variable and never show what the file holds. A flag wins over both.
func fromFile(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, name := range flag.Envs {
		path := os.Getenv(name + "_FILE")
		if path == "" {
			continue
		}
		if os.Getenv(name) != "" {
			return nil, fmt.Errorf("%s and %s_FILE are both set: unset one", name, name)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("%s_FILE: %w", name, err)
		}
		value := strings.TrimRight(string(text), "\r\n")
		if value == "" { // rather than go on as if there were no such setting
			return nil, fmt.Errorf("%s_FILE: %s is empty", name, path)
		}
		// What parsing or the check of an enumeration say would quote the value.
		scratch := reflect.New(flag.Target.Type()).Elem()
		if flag.Parse(kong.Scan().PushTyped(value, kong.FlagValueToken), scratch) != nil ||
			flag.Enum != "" && !slices.Contains(flag.EnumSlice(), value) {
			return nil, fmt.Errorf("%s_FILE: %s does not hold a value for %s", name, path, name)
		}
		return value, nil
	}
	return nil, nil
}
