// Package browser looks at pages in a headless Chromium, as a person would. It is
// apart from the harness, so that who does not look does not need its library.
package browser

import (
	"context"
	"encoding/base64"
	"fmt"
	"sync"
	"testing"
	"time"

	cdplog "github.com/chromedp/cdproto/log"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"sonde_exporter/test/servers"
)

// timeout is how long the browser may take for all that one test asks of it.
const timeout = 60 * time.Second

// Browser is a headless Chromium.
type Browser struct {
	ctx context.Context

	mu         sync.Mutex
	complaints []string
}

// View is how a page is looked at.
type View struct {
	Width, Height int64
	Dark          bool
}

// Sight is what the browser made of a page.
type Sight struct {
	// Complaints are errors in its console, refused resources, scripts that ran.
	Complaints []string
	// Text is what a reader sees.
	Text string
	// Overflow is how many pixels the page is too wide, and TooWide what is.
	Overflow int
	TooWide  []string
	// PNG is the picture.
	PNG []byte
}

// Start starts Chromium, and ends it with the test. It sends user and password
// with every request, and accepts every certificate.
func Start(t testing.TB, user, password string) *Browser {
	t.Helper()
	limited, expire := context.WithTimeout(context.Background(), timeout)
	t.Cleanup(expire)
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(servers.Tool(t, "chromium")),
		chromedp.NoSandbox, // root may not have one
		chromedp.IgnoreCertErrors,
	)
	allocated, stop := chromedp.NewExecAllocator(limited, options...)
	t.Cleanup(stop)
	ctx, end := chromedp.NewContext(allocated)
	t.Cleanup(end)
	b := &Browser{ctx: ctx}
	if err := chromedp.Listen(ctx, b.hear); err != nil {
		t.Fatalf("cannot start Chromium: %v", err)
	}
	credentials := base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
	headers := network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Authorization": "Basic " + credentials}}
	if _, err := chromedp.Call(ctx, network.SetExtraHTTPHeaders, headers); err != nil {
		t.Fatalf("Chromium takes no password: %v", err)
	}
	return b
}

// tooWide lists the elements that stick out at the right.
const tooWide = `[...document.querySelectorAll("body *")]
	.filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5)
	.map(e => e.tagName + "." + e.className + " " + e.textContent.slice(0, 40))`

// Look opens a page and tells what there is to see.
func (b *Browser) Look(t testing.TB, url string, view View) Sight {
	t.Helper()
	b.open(t, url, view)
	sight := Sight{
		Text:     evaluate[string](t, b, `document.body.innerText`),
		Overflow: evaluate[int](t, b, `document.documentElement.scrollWidth - document.documentElement.clientWidth`),
		TooWide:  evaluate[[]string](t, b, tooWide),
	}
	var err error
	if sight.PNG, err = chromedp.Run(b.ctx, chromedp.CaptureScreenshot()); err != nil {
		t.Fatalf("Chromium takes no picture of %s: %v", url, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	sight.Complaints, b.complaints = b.complaints, nil
	return sight
}

func (b *Browser) open(t testing.TB, url string, view View) {
	t.Helper()
	scheme := "light"
	if view.Dark {
		scheme = "dark"
	}
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	if err == nil {
		err = chromedp.Do(b.ctx, chromedp.EmulateViewport(view.Width, view.Height), chromedp.Navigate(url))
	}
	if err != nil {
		t.Fatalf("Chromium cannot show %s: %v", url, err)
	}
}

func evaluate[T any](t testing.TB, b *Browser, script string) T {
	t.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script))
	if err != nil {
		t.Fatalf("Chromium cannot tell %s: %v", script, err)
	}
	return value
}

// hear notes what no good page causes.
func (b *Browser) hear(event any) {
	complaint := ""
	switch e := event.(type) {
	case *cdplog.EventEntryAdded:
		complaint = fmt.Sprintf("%s: %s", e.Entry.Level, e.Entry.Text)
	case *runtime.EventExceptionThrown:
		complaint = "exception: " + e.ExceptionDetails.Text
	case *runtime.EventConsoleAPICalled:
		complaint = "a script wrote to the console"
	case *page.EventJavascriptDialogOpening:
		complaint = "a script opened a dialog: " + e.Message
	case *network.EventLoadingFailed:
		complaint = "not loaded: " + e.ErrorText
	default:
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.complaints = append(b.complaints, complaint)
}
