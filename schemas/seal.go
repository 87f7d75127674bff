package schemas

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet/file"
	"github.com/apache/arrow/go/v15/parquet/pqarrow"
)

// A Parquet file ends with the footer, its length in 4 bytes (little-endian)
// and "PAR1"; everything before is found through offsets in the footer, counted
// from the start of the file. Bytes put right before the footer move nothing
// that is looked up: there sealMagic and the SHA-256 of the rest of the file stand.
const (
	parquetMagic = "PAR1"
	sealMagic    = "HSNASEAL"
	sealSize     = len(sealMagic) + sha256.Size
	tailSize     = 4 + len(parquetMagic)
)

// footer returns where the footer of a Parquet file begins.
func footer(data []byte) (int, bool) {
	if len(data) < tailSize {
		return 0, false
	}
	length, ok := footerLength(data[len(data)-tailSize:], int64(len(data)))
	return len(data) - int(length), ok
}

// footerLength returns how many bytes the footer of a Parquet file of size bytes
// takes, the tail included, of which last holds the bytes.
func footerLength(last []byte, size int64) (int64, bool) {
	if size < int64(len(parquetMagic)+tailSize) || !bytes.HasSuffix(last, []byte(parquetMagic)) {
		return 0, false
	}
	length := int64(binary.LittleEndian.Uint32(last)) + int64(tailSize)
	return length, length <= size-int64(len(parquetMagic))
}

// seal inserts the checksum into a Parquet file.
func seal(data []byte) ([]byte, error) {
	at, ok := footer(data)
	if !ok {
		return nil, fmt.Errorf("the encoder gave no Parquet file")
	}
	sum := sha256.Sum256(data)
	return bytes.Join([][]byte{data[:at], []byte(sealMagic), sum[:], data[at:]}, nil), nil
}

// sealed reports whether a file carries a seal, and whether it holds.
func sealed(data []byte) (found, holds bool) {
	at, ok := footer(data)
	if !ok || at < sealSize || !bytes.HasPrefix(data[at-sealSize:], []byte(sealMagic)) {
		return false, false
	}
	sum := sha256.New()
	sum.Write(data[:at-sealSize])
	sum.Write(data[at:])
	return true, bytes.Equal(sum.Sum(nil), data[at-sha256.Size:at])
}

// sealError says what is wrong with a file that begins with head, nil if nothing is.
func sealError(path string, head []byte, found, holds bool) error {
	switch {
	case !found && !bytes.HasPrefix(head, []byte(parquetMagic)):
		return &Error{path, "this is no Parquet file"}
	case !found:
		return &Error{path, "it is damaged or was not written by hsnas; bring your own tables in as CSV"}
	case !holds:
		return &Error{path, "it is damaged; remove it and run the stage that writes it again"}
	}
	return nil
}

// content is a whole artifact in memory.
type content struct {
	arrow.Table
	stored map[string]string // metadata of the file
}

// load reads a whole Parquet file, of which path is the name in messages, after
// checking its seal.
func load(path string, r io.Reader) (*content, error) {
	data, err := readAll(r)
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", path, err)
	}
	found, holds := sealed(data)
	if err := sealError(path, data, found, holds); err != nil {
		return nil, err
	}
	parquetFile, err := file.NewParquetReader(bytes.NewReader(data))
	if err != nil {
		return nil, &Error{path, err.Error()}
	}
	defer parquetFile.Close()
	reader, err := pqarrow.NewFileReader(parquetFile, pqarrow.ArrowReadProperties{BatchSize: rowGroup}, memory.DefaultAllocator)
	if err != nil {
		return nil, &Error{path, err.Error()}
	}
	table, err := reader.ReadTable(context.Background())
	if err != nil {
		return nil, &Error{path, err.Error()}
	}
	c := &content{Table: table, stored: map[string]string{}}
	keyValues := parquetFile.MetaData().KeyValueMetadata()
	for i, key := range keyValues.Keys() {
		c.stored[key] = keyValues.Values()[i]
	}
	return c, nil
}

// readAll is io.ReadAll with one allocation where the size is known.
func readAll(r io.Reader) ([]byte, error) {
	if f, ok := r.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() && info.Size() < math.MaxInt {
			data := make([]byte, info.Size())
			_, err := io.ReadFull(f, data)
			return data, err
		}
	}
	return io.ReadAll(r)
}
