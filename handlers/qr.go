package handlers

import qr "github.com/piglig/go-qr"

// A QR code is drawn with a quiet zone of four modules (ISO/IEC 18004) and
// stands the loss of 15% of it, as on a poster that has hung for a while.
const (
	qrScale = 10 // pixels a module
	qrQuiet = 4  // modules
)

func drawQR(text string, draw func(*qr.QrCode, *qr.QrCodeImgConfig) ([]byte, error)) ([]byte, error) {
	code, err := qr.EncodeText(text, qr.Medium)
	if err != nil {
		return nil, err
	}
	return draw(code, qr.NewQrCodeImgConfig(qrScale, qrQuiet, qr.WithOptimalSVG()))
}

// qrSVG draws a text as a QR code in SVG.
func qrSVG(text string) ([]byte, error) {
	return drawQR(text, (*qr.QrCode).ToSVGBytes)
}

// qrPNG draws a text as a QR code in PNG.
func qrPNG(text string) ([]byte, error) {
	return drawQR(text, (*qr.QrCode).ToPNGBytes)
}
