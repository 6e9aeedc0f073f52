package handlers

import qr "github.com/piglig/go-qr"

// The form of a QR code (GB/T 18284): the quiet zone that the standard asks for, in
// modules, and pixels of a module of which a poster can be printed.
const (
	qrQuietZone = 4
	qrModule    = 8
)

// qrSVG draws a text as a QR code of error correction M. Its unit is a module, because
// the library takes the border of drawings in units and that of pictures in modules.
func qrSVG(text string) ([]byte, error) {
	code, err := qr.EncodeText(text, qr.Medium)
	if err != nil {
		return nil, err
	}
	return code.ToSVGBytes(qr.NewQrCodeImgConfig(1, qrQuietZone, qr.WithOptimalSVG()))
}

// qrPNG is qrSVG as a picture.
func qrPNG(text string) ([]byte, error) {
	code, err := qr.EncodeText(text, qr.Medium)
	if err != nil {
		return nil, err
	}
	return code.ToPNGBytes(qr.NewQrCodeImgConfig(qrModule, qrQuietZone))
}
