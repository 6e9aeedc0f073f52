package directory

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"pgregory.net/rapid"
)

// The example of RFC 9562, appendix A.6.
func TestNewIDExampleOfTheRFC(t *testing.T) {
	at := time.Date(2022, 2, 22, 14, 22, 22, 0, time.FixedZone("", -5*60*60))
	id, err := NewID(at, bytes.NewReader([]byte{0x0C, 0xC3, 0x18, 0xC4, 0xDC, 0x0C, 0x0C, 0x07, 0x39, 0x8F}))
	if want := "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"; err != nil || id != want {
		t.Errorf("got %s, %v, want %s", id, err, want)
	}
}

func TestNewIDIsValidAndSortsByTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ms := rapid.Int64Range(0, 1<<47)
		random := rapid.SliceOfN(rapid.Byte(), 10, 10)
		a, b := ms.Draw(t, "a"), ms.Draw(t, "b")
		idA, errA := NewID(time.UnixMilli(a), bytes.NewReader(random.Draw(t, "random a")))
		idB, errB := NewID(time.UnixMilli(b), bytes.NewReader(random.Draw(t, "random b")))
		if errA != nil || errB != nil || !ValidID(idA) || idA[14] != '7' || !strings.ContainsRune("89ab", rune(idA[19])) {
			t.Fatalf("%s, %v, %s, %v", idA, errA, idB, errB)
		}
		if a < b && idA >= idB {
			t.Errorf("%s of %d does not sort before %s of %d", idA, a, idB, b)
		}
	})
}

func TestNewIDFailsWithItsRandomness(t *testing.T) {
	broken := errors.New("broken")
	if id, err := NewID(now, iotest.ErrReader(broken)); !errors.Is(err, broken) || id != "" {
		t.Errorf("got %q, %v", id, err)
	}
	if _, err := NewID(now, bytes.NewReader(make([]byte, 9))); err == nil {
		t.Error("9 bytes were enough")
	}
}

func TestValidID(t *testing.T) {
	for id, want := range map[string]bool{
		someID:                                  true,
		"00000000-0000-0000-0000-000000000000":  true,
		"":                                      false,
		strings.ToUpper(someID):                 false,
		"{" + someID + "}":                      false,
		"019aaf5e4c007a1b8c2d000000000001":      false,
		"019aaf5e-4c00-7a1b-8c2d-00000000000g":  false,
		"019aaf5e-4c00-7a1b-8c2d+000000000001":  false,
		"019aaf5e-4c00-7a1b-8c2d-0000000000011": false,
	} {
		if ValidID(id) != want {
			t.Errorf("ValidID(%q) is %v", id, !want)
		}
	}
}
