package photos

import (
	"bytes"
	"encoding/binary"
)

// exifHead stands before the block in JPEG files, and by mistake in some others.
var exifHead = []byte("Exif\x00\x00")

// exifOfJPEG returns the EXIF block of a JPEG file, or nil.
func exifOfJPEG(data []byte) []byte {
	for at := 2; at+4 <= len(data) && data[at] == 0xff; {
		marker := data[at+1]
		if marker == 0xff { // padding
			at++
			continue
		}
		if marker == 0xda { // the pixels
			return nil
		}
		if marker == 0x01 || marker >= 0xd0 && marker <= 0xd8 { // stands alone
			at += 2
			continue
		}
		end := at + 2 + int(binary.BigEndian.Uint16(data[at+2:]))
		if end < at+4 || end > len(data) {
			return nil
		}
		if block, ok := bytes.CutPrefix(data[at+4:end], exifHead); ok && marker == 0xe1 {
			return block
		}
		at = end
	}
	return nil
}

// exifOfPNG returns the EXIF block of a PNG file, or nil.
func exifOfPNG(data []byte) []byte {
	for at := 8; at+12 <= len(data); {
		size := int64(binary.BigEndian.Uint32(data[at:]))
		if size > int64(len(data)-at-12) {
			return nil
		}
		if hasAt(data, at+4, "eXIf") {
			return bytes.TrimPrefix(data[at+8:at+8+int(size)], exifHead)
		}
		at += 12 + int(size)
	}
	return nil
}

// exifOfWebP returns the EXIF block of a WebP file, or nil.
func exifOfWebP(data []byte) []byte {
	for at := 12; at+8 <= len(data); {
		size := int64(binary.LittleEndian.Uint32(data[at+4:]))
		if size > int64(len(data)-at-8) {
			return nil
		}
		if hasAt(data, at, "EXIF") {
			return bytes.TrimPrefix(data[at+8:at+8+int(size)], exifHead)
		}
		at += 8 + int(size+size%2)
	}
	return nil
}

// orientation returns the orientation that an EXIF block states, 1 to 8; 1, which
// is upright, when it states none.
func orientation(block []byte) int {
	const tag, short = 0x0112, 3
	var order binary.ByteOrder
	switch {
	case hasAt(block, 0, "II*\x00"):
		order = binary.LittleEndian
	case hasAt(block, 0, "MM\x00*"):
		order = binary.BigEndian
	default:
		return 1
	}
	if len(block) < 8 {
		return 1
	}
	first := int64(order.Uint32(block[4:]))
	if first > int64(len(block)-2) {
		return 1
	}
	entries := block[first+2:]
	for range order.Uint16(block[first:]) {
		if len(entries) < 12 {
			return 1
		}
		if order.Uint16(entries) == tag && order.Uint16(entries[2:]) == short {
			if o := int(order.Uint16(entries[8:])); o >= 1 && o <= 8 {
				return o
			}
			return 1
		}
		entries = entries[12:]
	}
	return 1
}
