package handlers

import (
	qr "github.com/piglig/go-qr"
)

// The form of a QR code (GB/T 18284): the quiet zone that the standard asks for, and
// modules that a phone reads from a printed poster.
const (
	qrQuietZone = 4 // modules
	qrModule    = 8 // pixels
)

// qrSVG draws a text as a QR code of error correction M.
func qrSVG(text string) ([]byte, error) {
	code, err := qr.EncodeText(text, qr.Medium)
	if err != nil {
		return nil, err
	}
	return code.ToSVGBytes(qr.NewQrCodeImgConfig(qrModule, qrQuietZone, qr.WithOptimalSVG()))
}

// qrPNG is qrSVG as a picture.
func qrPNG(text string) ([]byte, error) {
	code, err := qr.EncodeText(text, qr.Medium)
	if err != nil {
		return nil, err
	}
	return code.ToPNGBytes(qr.NewQrCodeImgConfig(qrModule, qrQuietZone))
}
