package browser

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// Save writes a picture to a file, in few enough colors for a small one: text on
// a plain ground has hardly more.
func (s Sight) Save(t testing.TB, file string) {
	t.Helper()
	picture, err := png.Decode(bytes.NewReader(s.PNG))
	if err != nil {
		t.Fatalf("Chromium's picture cannot be read: %v", err)
	}
	var small bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&small, fewColors(picture)); err != nil {
		t.Fatalf("the picture cannot be written: %v", err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, small.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// fewColors keeps the 256 most frequent colors, and takes the nearest one of them
// for any other.
func fewColors(picture image.Image) *image.Paletted {
	const most = 256
	bounds, frequency := picture.Bounds(), map[color.Color]int{}
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			frequency[picture.At(x, y)]++
		}
	}
	palette := color.Palette(slices.SortedFunc(maps.Keys(frequency), func(a, b color.Color) int { return frequency[b] - frequency[a] }))
	palette = palette[:min(most, len(palette))]
	nearest := map[color.Color]uint8{}
	for c := range frequency {
		nearest[c] = uint8(palette.Index(c))
	}
	few := image.NewPaletted(bounds, palette)
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			few.SetColorIndex(x, y, nearest[picture.At(x, y)])
		}
	}
	return few
}
