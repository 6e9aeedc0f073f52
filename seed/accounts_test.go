package seed

import (
	"strings"
	"testing"

	"qingfu/directory"
)

func TestDemoAccounts(t *testing.T) {
	regions, err := Regions()
	if err != nil {
		t.Fatal(err)
	}
	o, contact := DemoOrganization()
	if err := o.Validate(regions); err != nil {
		t.Error(err)
	}
	if code, ok := directory.ParseCreditCode(string(o.CreditCode)); code != o.CreditCode || !ok || !code.Valid() || o.CodeValid != code.Valid() {
		t.Errorf("the code %s is none", o.CreditCode)
	}
	if !strings.Contains(string(o.CreditCode), "00000000") || !o.Demo || o.State != directory.OrganizationVerified || o.RegisteredElsewhere(regions) {
		t.Errorf("the organization is %+v", o)
	}
	if !directory.IsDemoPhone(contact) {
		t.Errorf("the contact phone %s may be somebody's", contact)
	}
	phones, roles, members := map[string]bool{}, map[directory.Role]bool{}, 0
	for _, a := range DemoAccounts() {
		if phones[a.Phone] || !directory.IsDemoPhone(a.Phone) || !strings.Contains(a.Name, "示例") {
			t.Errorf("%s %s", a.Phone, a.Name)
		}
		phones[a.Phone] = true
		for _, g := range a.Grants {
			if err := g.Validate(regions); err != nil {
				t.Errorf("%s: %v", a.Name, err)
			}
			if g.NeedsSecondFactor() != (a.Secret != "") {
				t.Errorf("%s has the authenticator %q", a.Name, a.Secret)
			}
			if g.Organization == o.ID {
				members++
			}
			roles[g.Role] = true
		}
	}
	if len(roles) != len(directory.Roles) || members != 2 || !phones[contact] {
		t.Errorf("the roles are %v, the organization has %d members", roles, members)
	}
}

// TestWhatCanBeBooked: the demonstration organization has a service with a calendar and
// a facility, which need no official to be there.
func TestWhatCanBeBooked(t *testing.T) {
	k := DemoCalendar()
	if err := k.Validate(); err != nil {
		t.Error(err)
	}
	o, _ := DemoOrganization()
	kinds := map[directory.BookingKind]string{}
	for _, l := range mustDemo(t) {
		if l.OrganizationID == "" {
			continue
		}
		kinds[directory.BookedAs(l.Kind)] = l.ID
		if l.OrganizationID != o.ID || l.Organization != o.LegalName || l.ReviewDueAt != nil {
			t.Errorf("%s is kept by %s and due %v", l.Names.Zh, l.OrganizationID, l.ReviewDueAt)
		}
	}
	if len(kinds) != 2 || kinds[directory.ServiceBooking] != k.Listing || kinds[directory.VisitBooking] == "" {
		t.Errorf("to be booked are %v, the calendar is of %s", kinds, k.Listing)
	}
	if slots := k.Slots(directory.DateOf(released().AddDate(0, 0, 1)), released(), nil); len(slots) != 6 {
		t.Errorf("the slots of a day are %v", slots)
	}
}
