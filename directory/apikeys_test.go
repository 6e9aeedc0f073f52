package directory_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"qingfu/directory"
)

// keyMade is when the keys of these tests are made: a Monday in November, before noon.
var keyMade = time.Date(2026, 11, 23, 10, 0, 0, 0, directory.Shanghai)

func apiKey(change func(*directory.APIKey)) *directory.APIKey {
	k := &directory.APIKey{
		ID: "019aaf5e-4c00-7a1b-8c2d-0000000000aa", Name: "省发改委数据平台", Bureau: directory.CivilAffairs, Region: haidong, Rate: 60,
		CreatedBy: ann, CreatedAt: keyMade, ExpiresAt: keyMade.AddDate(1, 0, 0),
	}
	if change != nil {
		change(k)
	}
	return k
}

func TestAPIKeyText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := directory.FormatID([16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id")))
		text, err := directory.APIKeyText(id, [16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "secret")))
		if err != nil || len(text) != 54 || !strings.HasPrefix(text, "qfk_") {
			t.Fatal(text, err)
		}
		if got, ok := directory.ParseAPIKey(text); !ok || got != id {
			t.Fatalf("%s reads as %q, %t, want %s", text, got, ok, id)
		}
		// CRC-32 finds every burst of up to 32 bits, and so every wrong character.
		at := rapid.IntRange(4, len(text)-1).Draw(t, "at")
		other := rapid.RuneFrom([]rune("0aZ-_ .")).Draw(t, "other")
		if wrong := text[:at] + string(other) + text[at+1:]; wrong != text {
			if _, ok := directory.ParseAPIKey(wrong); ok {
				t.Fatalf("%s with %q at %d is taken", text, other, at)
			}
		}
	})
	good, err := directory.APIKeyText(apiKey(nil).ID, [16]byte{15: 1})
	if err != nil || good != "qfk_031GnHjKp5iU6lClXdESqm00000000000000000000012eeK7C" {
		t.Fatal(good, err)
	}
	for what, text := range map[string]string{
		"nothing": "", "the prefix": "qfk_", "shorter": good[:53], "longer": good + "0", "another prefix": "qfx_" + good[4:],
		"with space": " " + good[:53], "small letters": strings.ToLower(good),
	} {
		if id, ok := directory.ParseAPIKey(text); ok {
			t.Errorf("%s is read as %s", what, id)
		}
	}
	if _, err := directory.APIKeyText("no id", [16]byte{}); err == nil {
		t.Error("a key of no id")
	}
}

func TestAPIKeyValidate(t *testing.T) {
	regions := realRegions(t)
	for _, tt := range []struct {
		what   string
		change func(*directory.APIKey)
		want   string // pointers and codes
	}{
		{"good", nil, ""},
		{"the longest and fastest, of the province", func(k *directory.APIKey) {
			k.ExpiresAt, k.Rate, k.Region = keyMade.Add(400*24*time.Hour), 600, province
		}, ""},
		{"of a county, slow", func(k *directory.APIKey) { k.Rate, k.Region = 1, ledu }, ""},
		{"nothing", func(k *directory.APIKey) { *k = directory.APIKey{} },
			"/name required, /bureau required, /region required, /expires_at required, /rate too_small"},
		{"too much", func(k *directory.APIKey) {
			k.Name, k.Rate, k.ExpiresAt = strings.Repeat("长", 101), 601, keyMade.Add(400*24*time.Hour+time.Millisecond)
		}, "/name too_long, /expires_at too_large, /rate too_large"},
		{"of the past", func(k *directory.APIKey) { k.ExpiresAt = keyMade }, "/expires_at too_small"},
		{"unknown", func(k *directory.APIKey) { k.Bureau, k.Region = "police", community }, "/bureau unknown_value, /region unknown_value"},
	} {
		var got []string
		if e, ok := errors.AsType[*directory.Error](apiKey(tt.change).Validate(regions, keyMade)); ok {
			for _, f := range e.Fields {
				got = append(got, f.Pointer+" "+f.Code)
			}
		}
		if strings.Join(got, ", ") != tt.want {
			t.Errorf("%s: %v, want %s", tt.what, got, tt.want)
		}
	}
}

func TestAPIKeyUsable(t *testing.T) {
	revoked := func(k *directory.APIKey) { k.Revoke(ann, keyMade) }
	end := apiKey(nil).ExpiresAt
	for _, tt := range []struct {
		what   string
		change func(*directory.APIKey)
		at     time.Time
		want   string
	}{
		{"new", nil, keyMade, admitted},
		{"at the last moment", nil, end.Add(-time.Millisecond), admitted},
		{"expired", nil, end, "unauthenticatedapi_key_expired"},
		{"revoked", revoked, keyMade, "unauthenticatedapi_key_revoked"},
		{"revoked and expired", revoked, end, "unauthenticatedapi_key_revoked"},
	} {
		if got := refusal(t, apiKey(tt.change).Usable(tt.at)); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.what, got, tt.want)
		}
	}
	k := apiKey(nil)
	if !k.Revoke(ann, keyMade) || k.Revoke("somebody else", end) || k.RevokedBy != ann || !k.RevokedAt.Equal(keyMade) {
		t.Errorf("revoked twice: %+v", k)
	}
}

func TestAPIKeyUse(t *testing.T) {
	k := apiKey(nil)
	for _, step := range []struct {
		after          time.Duration // since the key was made, at 10 o'clock
		changed, first bool
	}{
		{0, true, true},
		{59 * time.Minute, false, false},
		{time.Hour, true, false},
		{30 * time.Minute, false, false}, // another server's clock is behind
		{13*time.Hour + 30*time.Minute, true, false},
		{14 * time.Hour, true, true}, // midnight in Shanghai
		{14*time.Hour + time.Minute, false, false},
		{100 * time.Hour, true, true},
	} {
		if changed, first := k.Use(keyMade.Add(step.after)); changed != step.changed || first != step.first {
			t.Errorf("after %v: %t, %t", step.after, changed, first)
		}
	}
}

func TestAPIKeyWarning(t *testing.T) {
	due := apiKey(nil).ExpiresAt.Add(-14 * 24 * time.Hour)
	for what, tt := range map[string]struct {
		change func(*directory.APIKey)
		warned bool
	}{
		"good":                   {nil, true},
		"warned of":              {func(k *directory.APIKey) { k.WarnedAt = &due }, false},
		"revoked":                {func(k *directory.APIKey) { k.Revoke(ann, keyMade) }, false},
		"of an erased account":   {func(k *directory.APIKey) { k.Forget(keyMade) }, false},
		"of less than two weeks": {func(k *directory.APIKey) { k.ExpiresAt = keyMade.Add(13 * 24 * time.Hour) }, false},
	} {
		if at := apiKey(tt.change).WarnAt(); (at != nil) != tt.warned || at != nil && !at.Equal(due) {
			t.Errorf("%s: %v", what, at)
		}
	}
	k := apiKey(nil)
	if !k.Forget(keyMade) || k.Forget(keyMade) || k.CreatedBy != "" || k.State(keyMade) != directory.APIKeyActive {
		t.Errorf("of an erased account: %+v", k)
	}
}

// TestAdmitByKey tries a key on every sort of permission: it opens those that say so
// and what is everybody's, and nothing else, also not what an official may do who has
// no second factor to show.
func TestAdmitByKey(t *testing.T) {
	roles := func(keys bool, power directory.Power, roles ...directory.Role) directory.Permission {
		return directory.Permission{Roles: roles, Power: power, Keys: keys}
	}
	caller := apiKey(nil).Caller()
	both := []directory.Role{directory.Official, directory.Admin}
	for what, tt := range map[string]struct {
		p    directory.Permission
		want string
		own  bool // whether the key's scope is reached
	}{
		"nobody":                         {directory.Permission{}, forbidden, false},
		"public":                         {directory.Permission{Public: true}, admitted, false},
		"public, more for officials":     {directory.Permission{Public: true, Roles: both, Power: directory.StatisticsPower}, admitted, false},
		"public, more for keys":          {directory.Permission{Public: true, Roles: both, Power: directory.StatisticsPower, Keys: true}, admitted, true},
		"public, more for another power": {directory.Permission{Public: true, Roles: both, Power: directory.PublishPower, Keys: true}, admitted, false},
		"accounts":                       {directory.Permission{Accounts: true}, forbidden, false},
		"accounts with roles":            {directory.Permission{Accounts: true, Roles: both}, forbidden, false},
		"officials":                      {roles(false, "", directory.Official), forbidden, false},
		"officials with statistics":      {roles(false, directory.StatisticsPower, both...), forbidden, false},
		"those and keys":                 {roles(true, directory.StatisticsPower, both...), admitted, true},
		"keys with another power":        {roles(true, directory.PublishPower, both...), forbidden, false},
		"keys, no power":                 {roles(true, "", directory.Official), admitted, true},
		"keys beside admins":             {roles(true, "", directory.Admin), forbidden, false},
		"keys beside owners":             {roles(true, "", directory.Owner, directory.Staff), forbidden, false},
		"keys alone":                     {directory.Permission{Keys: true}, admitted, false},
	} {
		if got := refusal(t, tt.p.Admit(&caller)); got != tt.want {
			t.Errorf("%s: %q, want %q", what, got, tt.want)
		}
		regions := realRegions(t)
		for s, within := range map[directory.Scope]bool{
			{Bureau: directory.CivilAffairs, Region: haidong}: true,
			{Bureau: directory.CivilAffairs, Region: ledu}:    true,
			{Bureau: directory.CivilAffairs, Region: xining}:  false,
			{Bureau: directory.Health, Region: haidong}:       false,
			{Organization: shop}:                              false,
			{}:                                                false,
		} {
			if got := caller.Covers(tt.p, s, regions) == nil; got != (within && tt.own) {
				t.Errorf("%s covers %+v: %t", what, s, got)
			}
		}
		if got := caller.Scopes(tt.p); slices.Contains(got, directory.Scope{}) || (len(got) > 0) != tt.own {
			t.Errorf("%s: scopes %+v", what, got)
		}
	}
	// Nobody else is let in where keys are alone.
	for want, c := range map[string]*directory.Caller{
		unknown:   {},
		forbidden: {Account: ann, SecondFactor: true, Grants: []directory.Grant{admin}},
	} {
		if got := refusal(t, directory.Permission{Keys: true}.Admit(c)); got != want {
			t.Errorf("keys alone: %q, want %q", got, want)
		}
	}
}
