package tlslib

import (
	"bytes"
	"errors"
)

var errOutside = errors.New("an offset leads out of it")

// chunkSize is how much of a table is in memory at once: a multiple of the sizes
// of all records that are read, which are 8 and 24 bytes.
const chunkSize = 240 << 10

// chunks visits a part of the file piece by piece, until visit returns false.
// Each piece begins with the last overlap bytes of the one before, so that
// nothing of up to that length is cut in two. at is the offset of the piece
// within the part.
func (f *image) chunks(part extent, overlap int, visit func(at uint64, piece []byte) bool) error {
	buffer := make([]byte, min(part.size, chunkSize))
	kept := 0
	for done := uint64(0); done < part.size; {
		fresh := min(uint64(len(buffer)-kept), part.size-done)
		content, err := f.fill(buffer[kept:], extent{part.offset + done, fresh})
		if err != nil {
			return err
		}
		piece := buffer[:kept+len(content)]
		if !visit(done-uint64(kept), piece) {
			return nil
		}
		done += fresh
		kept = copy(buffer, piece[max(0, len(piece)-overlap):])
	}
	return nil
}

// fill reads a part of the file into a buffer that is large enough for it.
func (f *image) fill(buffer []byte, part extent) ([]byte, error) {
	content := buffer[:part.size]
	_, err := f.reader.ReadAt(content, int64(part.offset))
	return content, err
}

// records visits a table of entries of the same size, until visit returns
// false. An incomplete entry at the end is left out.
func (f *image) records(part extent, size int, visit func(index int, record []byte) bool) error {
	index := 0
	return f.chunks(part, 0, func(_ uint64, piece []byte) bool {
		for ; len(piece) >= size; piece = piece[size:] {
			if !visit(index, piece[:size]) {
				return false
			}
			index++
		}
		return true
	})
}

// find says which of the texts are in a part of the file, at their first place.
func (f *image) find(part extent, texts []string) (map[string]uint64, error) {
	places := map[string]uint64{}
	longest := 0
	for _, text := range texts {
		longest = max(longest, len(text))
	}
	err := f.chunks(part, longest-1, func(at uint64, piece []byte) bool {
		for _, text := range texts {
			if _, known := places[text]; known {
				continue
			}
			if i := bytes.Index(piece, []byte(text)); i >= 0 {
				places[text] = at + uint64(i)
			}
		}
		return len(places) < len(texts)
	})
	return places, err
}

// window reads single numbers in roughly ascending order.
type window struct {
	file    *image
	part    extent
	from    uint64
	content []byte
}

// uint32At reads a number at an offset within the part.
func (w *window) uint32At(at uint64) (uint32, error) {
	if end := w.from + uint64(len(w.content)); at < w.from || at >= end || end-at < 4 {
		if err := w.move(at); err != nil {
			return 0, err
		}
	}
	return w.file.elf.ByteOrder.Uint32(w.content[at-w.from:]), nil
}

// move reads what begins at an offset, which is four bytes or more.
func (w *window) move(at uint64) error {
	if at > w.part.size || w.part.size-at < 4 {
		return errOutside
	}
	if w.content == nil {
		w.content = make([]byte, min(chunkSize, w.part.size))
	}
	buffer := w.content[:cap(w.content)]
	size := min(uint64(len(buffer)), w.part.size-at)
	content, err := w.file.fill(buffer, extent{w.part.offset + at, size})
	if err != nil {
		return err
	}
	w.from, w.content = at, content
	return nil
}
