package tlstap

import (
	"context"
	"time"
)

// joinsPerSecond is how many new processes of one service are looked at at once.
// More are left to the next sweep: a service that runs a program per request
// would keep Sonde busy with processes that are gone soon.
const joinsPerSecond = 20

// service is one that was seen to speak TLS.
type service struct {
	id        uint32
	processes map[*process]struct{}
	// looked says that at least one process was there to be looked at.
	looked bool
	// stale says that it has processes that were not looked at, perhaps.
	stale bool
	// listing is the time until all its processes are looked at again.
	listing pause
	// joins counts new processes since joinsSince.
	joins      int
	joinsSince time.Time
}

// answer does what was requested.
func (t *Tap) answer(ctx context.Context) {
	requests, overflow := t.queue.take()
	for _, service := range t.services {
		service.stale = service.stale || overflow
	}
	for _, request := range requests {
		if ctx.Err() != nil {
			return
		}
		switch request.kind {
		case spoken:
			t.spokenBy(ctx, request.service, request.pid)
		case joined:
			t.joinedTo(request.service, request.pid)
		case forgotten:
			t.drop(request.service)
		}
	}
}

// spokenBy looks at a process, or at all of them: at first, too, because the
// others have their share in what the first one maps.
func (t *Tap) spokenBy(ctx context.Context, id, pid uint32) {
	one, known := t.services[id]
	if !known {
		one = &service{id: id, processes: map[*process]struct{}{}}
		t.services[id] = one
		t.changed = true
		t.logger.Debug("a service speaks TLS: its processes are looked at", "service", t.nameOf(id), "pid", pid)
	}
	if pid != 0 {
		t.look(one, pid)
	}
	now := t.now()
	if known && (pid != 0 || !one.listing.over(now)) {
		return
	}
	one.listing.extend(now)
	t.lookAtAll(ctx, one, func(uint32) bool { return true })
}

// lookAtAll looks at those processes of a service that are wanted.
func (t *Tap) lookAtAll(ctx context.Context, one *service, wanted func(pid uint32) bool) {
	for _, pid := range t.processesOf(one.id) {
		if ctx.Err() != nil {
			return
		}
		if wanted(pid) {
			t.look(one, pid)
		}
	}
}

func (t *Tap) joinedTo(id, pid uint32) {
	one, ok := t.services[id]
	if !ok {
		t.leave(pid) // It may have executed its way out of another service.
		return
	}
	now := t.now()
	if now.Sub(one.joinsSince) >= time.Second {
		one.joins, one.joinsSince = 0, now
	}
	one.joins++
	if one.joins > joinsPerSecond {
		one.stale = true
		return
	}
	t.look(one, pid)
}

// leave forgets a process that belongs to no service that speaks TLS.
func (t *Tap) leave(pid uint32) {
	if process, ok := t.processes[pid]; ok {
		t.release(process)
	}
}

// drop forgets a service. The next sweep detaches what nobody else uses.
func (t *Tap) drop(id uint32) {
	one, ok := t.services[id]
	if !ok {
		return
	}
	for process := range one.processes {
		t.release(process)
	}
	delete(t.services, id)
	t.attachments.forget(id)
	t.changed = true
}

// sweep finds the processes that are gone. Before it detaches what they used, it
// looks for others of their services: the event of a new process may be lost.
func (t *Tap) sweep(ctx context.Context) {
	for pid, process := range t.processes {
		start, err := t.procfs.start(pid)
		if isGone(err) || err == nil && start != process.start {
			t.release(process)
		} else if process.again {
			process.again = false
			t.inspect(process)
		}
	}
	for _, service := range t.services {
		if service.stale && ctx.Err() == nil {
			service.stale = false
			t.lookAtAll(ctx, service, func(pid uint32) bool { return t.processes[pid] == nil })
		}
	}
	now := t.now()
	t.attachments.retry(t.procfs, now)
	t.attachments.detachUnused(now)
	t.changed = true
}
