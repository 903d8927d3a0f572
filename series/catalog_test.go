package series

import (
	"errors"
	"fmt"
	"sync"
	"testing"
)

func operationOf(instance uint32, route string) Operation {
	return Operation{Instance: instance, ServerPort: 80, Method: "GET", Route: route}
}

func number(t *testing.T, c *Catalog, operation Operation) uint32 {
	t.Helper()
	number, err := c.Number(operation)
	if err != nil {
		t.Fatalf("Number(%+v): %v", operation, err)
	}
	return number
}

func TestCatalogNumbersEachOperationOnce(t *testing.T) {
	c := NewCatalog(100, 100)
	numbers := map[uint32]Operation{}
	base := operationOf(1, "/a")
	others := []func(*Operation){
		func(*Operation) {},
		func(o *Operation) { o.Instance = 2 },
		func(o *Operation) { o.Role = Client },
		func(o *Operation) { o.ServerPort = 81 },
		func(o *Operation) { o.ServerAddress = "example" },
		func(o *Operation) { o.Method = "POST" },
		func(o *Operation) { o.Route = "/b" },
	}
	for _, change := range others {
		operation := base
		change(&operation)
		first := number(t, c, operation)
		if again := number(t, c, operation); again != first {
			t.Errorf("%+v has numbers %d and %d", operation, first, again)
		}
		if earlier, taken := numbers[first]; taken || first == 0 {
			t.Errorf("%+v has number %d, as has %+v", operation, first, earlier)
		}
		numbers[first] = operation
	}
	for n, want := range numbers {
		if got, known := c.Operation(n); !known || got != want {
			t.Errorf("Operation(%d) = %+v, %t, want %+v", n, got, known, want)
		}
	}
	if _, known := c.Operation(uint32(len(numbers) + 1)); known {
		t.Error("a number that nothing has is known")
	}
	if c.Len() != len(numbers) {
		t.Errorf("Len() = %d, want %d", c.Len(), len(numbers))
	}
}

func TestCatalogLimits(t *testing.T) {
	c := NewCatalog(3, 2)
	a := number(t, c, operationOf(1, "/a"))
	number(t, c, operationOf(1, "/b"))
	full := func(operation Operation) {
		t.Helper()
		if got, err := c.Number(operation); !errors.Is(err, ErrFull) || got != 0 {
			t.Errorf("Number(%+v) = %d, %v, want ErrFull", operation, got, err)
		}
	}
	full(operationOf(1, "/c")) // its instance has no room
	number(t, c, operationOf(2, "/a"))
	full(operationOf(2, "/b")) // nobody has
	full(operationOf(3, "/a"))
	if number(t, c, operationOf(1, "/a")) != a {
		t.Error("a full catalog gave a known operation another number")
	}
	c.SetLimits(5, 3)
	number(t, c, operationOf(1, "/c"))
	c.SetLimits(1, 1)
	full(operationOf(2, "/b"))
	if number(t, c, operationOf(1, "/a")) != a {
		t.Error("a lower limit gave a known operation another number")
	}
}

func TestCatalogRemove(t *testing.T) {
	c := NewCatalog(3, 2)
	gone := number(t, c, operationOf(1, "/a"))
	number(t, c, operationOf(1, "/b"))
	stays := number(t, c, operationOf(2, "/a"))
	c.Remove(1)
	if _, known := c.Operation(gone); known || c.Len() != 1 {
		t.Errorf("after Remove number %d is known: %t, and %d operations are left, want 1", gone, known, c.Len())
	}
	if _, known := c.Operation(stays); !known {
		t.Error("Remove took an operation of another instance")
	}
	for _, route := range []string{"/a", "/b"} {
		// The kernel may still count under the old number for a moment.
		if again := number(t, c, operationOf(1, route)); again <= stays {
			t.Errorf("number %d was used twice", again)
		}
	}
}

func TestCatalogConcurrently(t *testing.T) {
	const routes, limit = 50, 30
	c := NewCatalog(limit, limit)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for i := range routes {
				n, err := c.Number(operationOf(1, fmt.Sprint("/", i)))
				if err != nil {
					continue
				}
				if operation, known := c.Operation(n); !known || operation.Route != fmt.Sprint("/", i) {
					t.Errorf("number %d is %+v", n, operation)
				}
			}
		})
	}
	wait.Wait()
	if c.Len() != limit {
		t.Errorf("%d operations, want %d", c.Len(), limit)
	}
}
