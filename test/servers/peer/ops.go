package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

// peer holds what the script has opened so far.
type peer struct {
	last      int
	listeners map[int]net.Listener
	conns     map[int]*net.TCPConn
}

func (p *peer) run(cmd Command) (Result, error) {
	switch cmd.Op {
	case "listen":
		return p.listen(cmd.Addr)
	case "accept":
		return p.accept(cmd.ID)
	case "dial":
		return p.dial(cmd.Addr)
	case "fetch":
		return fetch(cmd)
	}
	if ln, ok := p.listeners[cmd.ID]; ok && cmd.Op == "close" {
		delete(p.listeners, cmd.ID)
		return Result{}, ln.Close()
	}
	conn, ok := p.conns[cmd.ID]
	if !ok {
		return Result{}, fmt.Errorf("no connection has the id %d", cmd.ID)
	}
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return Result{}, err
	}
	return p.onConn(conn, cmd)
}

func (p *peer) onConn(conn *net.TCPConn, cmd Command) (Result, error) {
	switch cmd.Op {
	case "write":
		n, err := conn.Write(cmd.Data)
		return Result{N: n}, err
	case "writev":
		return writev(conn, cmd.Data)
	case "sendfile":
		return sendfile(conn, cmd.Data)
	case "read":
		n, err := io.CopyN(io.Discard, conn, int64(cmd.N))
		return Result{N: int(n)}, err
	case "readall":
		n, err := io.Copy(io.Discard, conn)
		return Result{N: int(n)}, err
	case "closewrite":
		return Result{}, conn.CloseWrite()
	case "close":
		delete(p.conns, cmd.ID)
		return Result{}, conn.Close()
	case "reset":
		delete(p.conns, cmd.ID)
		return Result{}, reset(conn)
	}
	return Result{}, fmt.Errorf("unknown command %q", cmd.Op)
}

func (p *peer) listen(addr string) (Result, error) {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return Result{}, err
	}
	p.last++
	p.listeners[p.last] = ln
	return Result{ID: p.last, Addr: ln.Addr().String()}, nil
}

func (p *peer) accept(id int) (Result, error) {
	ln, ok := p.listeners[id].(*net.TCPListener)
	if !ok {
		return Result{}, fmt.Errorf("no listener has the id %d", id)
	}
	if err := ln.SetDeadline(time.Now().Add(patience)); err != nil {
		return Result{}, err
	}
	conn, err := ln.AcceptTCP()
	return p.keep(conn, err)
}

func (p *peer) dial(addr string) (Result, error) {
	conn, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		return Result{}, err
	}
	return p.keep(conn.(*net.TCPConn), nil)
}

func (p *peer) keep(conn *net.TCPConn, err error) (Result, error) {
	if err != nil {
		return Result{}, err
	}
	p.last++
	p.conns[p.last] = conn
	return Result{ID: p.last, Addr: conn.LocalAddr().String()}, nil
}

// writev sends data in one writev call of three parts, as servers do that keep
// the head and the body of an answer apart.
func writev(conn *net.TCPConn, data []byte) (Result, error) {
	third := len(data) / 3
	parts := net.Buffers{data[:third], data[third : 2*third], data[2*third:]}
	n, err := parts.WriteTo(conn)
	return Result{N: int(n)}, err
}

// sendfile sends data by the sendfile system call: its pages reach the socket
// without a copy, so they lie outside the linear part of the packet.
func sendfile(conn *net.TCPConn, data []byte) (Result, error) {
	file, err := os.CreateTemp("", "peer")
	if err != nil {
		return Result{}, err
	}
	defer func() { _ = file.Close() }()
	if err := os.Remove(file.Name()); err != nil {
		return Result{}, err
	}
	if _, err := file.Write(data); err != nil {
		return Result{}, err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return Result{}, err
	}
	n, err := conn.ReadFrom(file)
	return Result{N: int(n)}, err
}

// reset ends the connection with RST instead of FIN.
func reset(conn *net.TCPConn) error {
	if err := conn.SetLinger(0); err != nil {
		return err
	}
	return conn.Close()
}
