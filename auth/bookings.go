package auth

import (
	"encoding/json"

	"qingfu/directory"
)

// bookingPurpose ties a sealed contact to its booking.
func bookingPurpose(id string) string { return "contact of booking " + id }

// SealContact seals the contact of a booking.
func (a *Auth) SealContact(booking string, contact directory.BookingContact) (string, error) {
	text, err := json.Marshal(contact)
	if err != nil {
		return "", err
	}
	return a.Keys.Seal(bookingPurpose(booking), string(text))
}

// OpenContact opens the contact of a booking; it is nil once it was cleared away.
func (a *Auth) OpenContact(b *directory.Booking) (*directory.BookingContact, error) {
	if b.Contact == "" {
		return nil, nil
	}
	text, err := a.Keys.Open(bookingPurpose(b.ID), b.Contact)
	if err != nil {
		return nil, err
	}
	contact := &directory.BookingContact{}
	return contact, json.Unmarshal([]byte(text), contact)
}

// OwnPhone returns the phone of an account, in clear, for its owner alone.
func (a *Auth) OwnPhone(account *directory.Account) (string, error) {
	return a.Keys.Open(phonePurpose(account.ID), account.Phone)
}
