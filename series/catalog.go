package series

import (
	"errors"
	"sync"
)

// Role tells on which side of a request a service is.
type Role uint8

// The values of enum role in bpf/sonde.h.
const (
	Server Role = iota
	Client
)

// Operation is what the kernel counts requests under: all labels of a series but
// those that the answer decides. The zero Route and Method are unset.
type Operation struct {
	Instance      uint32 // number of the instance that serves or calls
	Role          Role
	OverTLS       bool
	ServerPort    uint16
	ServerAddress string // clients only
	Method        string
	Route         string
}

// Catalog numbers operations, within limits. It is safe for concurrent use.
type Catalog struct {
	mu            sync.RWMutex
	limit         int
	limitPerOwner int
	last          uint32
	numbers       map[Operation]uint32
	operations    map[uint32]Operation
	perInstance   map[uint32]int
}

// NewCatalog returns an empty catalog that holds at most limit operations, and
// at most limitPerInstance of one instance.
func NewCatalog(limit, limitPerInstance int) *Catalog {
	return &Catalog{
		limit: limit, limitPerOwner: limitPerInstance,
		numbers: map[Operation]uint32{}, operations: map[uint32]Operation{}, perInstance: map[uint32]int{},
	}
}

// SetLimits changes the limits for operations that come from now on.
func (c *Catalog) SetLimits(limit, limitPerInstance int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.limit, c.limitPerOwner = limit, limitPerInstance
}

// ErrFull is returned when an operation would exceed a limit.
var ErrFull = errors.New("no room for another operation")

// Number returns the number of an operation; numbers begin at 1 and are never
// used twice.
func (c *Catalog) Number(operation Operation) (uint32, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if number, known := c.numbers[operation]; known {
		return number, nil
	}
	if len(c.numbers) >= c.limit || c.perInstance[operation.Instance] >= c.limitPerOwner {
		return 0, ErrFull
	}
	c.last++
	c.numbers[operation] = c.last
	c.operations[c.last] = operation
	c.perInstance[operation.Instance]++
	return c.last, nil
}

// Operation returns the operation that has this number.
func (c *Catalog) Operation(number uint32) (Operation, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	operation, known := c.operations[number]
	return operation, known
}

// Len is how many operations there are.
func (c *Catalog) Len() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return len(c.numbers)
}

// Remove forgets the operations of an instance.
func (c *Catalog) Remove(instance uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for operation, number := range c.numbers {
		if operation.Instance == instance {
			delete(c.numbers, operation)
			delete(c.operations, number)
		}
	}
	delete(c.perInstance, instance)
}
