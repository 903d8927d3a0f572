package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Files of a kernel in the cache.
const (
	imageFile   = "kernel"
	releaseFile = "release"
	modulesRoot = "tree"
)

// kernel is one that is unpacked in the cache.
type kernel struct {
	target    target
	version   string // 6.1.192
	release   string // 6.1.0-56-cloud-amd64
	directory string
}

// fetchKernel returns the newest kernel for a target, from the cache if it has
// it. Older ones are removed.
func fetchKernel(ctx context.Context, m *mirror, cache string, t target) (*kernel, error) {
	release, err := newestRelease(m.names, t)
	if err != nil {
		return nil, err
	}
	version, err := m.version(ctx, "linux-image-"+release)
	if err != nil {
		return nil, err
	}
	home := filepath.Join(cache, t.name())
	k := &kernel{target: t, version: version, release: release, directory: filepath.Join(home, version)}
	if known, err := os.ReadFile(filepath.Join(k.directory, releaseFile)); err == nil && string(known) == release {
		return k, nil
	}
	if err := os.RemoveAll(home); err != nil {
		return nil, fmt.Errorf("the older kernel cannot be removed from the cache: %w", err)
	}
	if err := k.build(ctx, m); err != nil {
		return nil, fmt.Errorf("%s: %w", t.name(), err)
	}
	return k, nil
}

// cachedKernel returns what an earlier run has left, for when the mirror cannot
// be reached.
func cachedKernel(cache string, t target) (*kernel, error) {
	found, err := filepath.Glob(filepath.Join(cache, t.name(), "*", releaseFile))
	if err != nil || len(found) == 0 {
		return nil, fmt.Errorf("no kernel for %s is in the cache %s", t.name(), cache)
	}
	release, err := os.ReadFile(found[0])
	if err != nil {
		return nil, fmt.Errorf("the cache cannot be read: %w", err)
	}
	directory := filepath.Dir(found[0])
	return &kernel{target: t, version: filepath.Base(directory), release: string(release), directory: directory}, nil
}

// build downloads and unpacks the kernel. The file with its release comes last:
// without it what is there counts as half done.
func (k *kernel) build(ctx context.Context, m *mirror) error {
	tree := filepath.Join(k.directory, modulesRoot)
	if err := os.MkdirAll(tree, 0o755); err != nil {
		return fmt.Errorf("the cache cannot be made: %w", err)
	}
	wanted := append([]string{"-qq", "download"}, packagesOf(m.names, k.release)...)
	if _, err := m.apt(ctx, k.directory, "apt-get", wanted...); err != nil {
		return err
	}
	packages, err := filepath.Glob(filepath.Join(k.directory, "*.deb"))
	if err != nil {
		return err
	}
	for _, file := range packages {
		if _, err := outputOf(ctx, "dpkg-deb", "-x", file, tree); err != nil {
			return err
		}
		if err := os.Remove(file); err != nil {
			return fmt.Errorf("a package cannot be removed from the cache: %w", err)
		}
	}
	if err := k.writeImage(ctx, tree); err != nil {
		return err
	}
	if err := k.indexModules(ctx, tree); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(k.directory, releaseFile), []byte(k.release), 0o644)
}

// writeImage puts the kernel where QEMU takes it from. An arm64 kernel boots as
// Debian packs it.
func (k *kernel) writeImage(ctx context.Context, tree string) error {
	var image []byte
	var err error
	for _, path := range []string{"boot/vmlinuz-" + k.release, "usr/lib/modules/" + k.release + "/vmlinuz"} {
		if image, err = os.ReadFile(filepath.Join(tree, path)); err == nil {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("the packages contain no kernel: %w", err)
	}
	if k.target.arch == "amd64" {
		if image, err = unpackKernel(ctx, image); err != nil {
			return err
		}
	}
	return os.WriteFile(k.image(), image, 0o644)
}

func (k *kernel) image() string { return filepath.Join(k.directory, imageFile) }

// indexModules writes what modprobe needs; an installation of the package would.
func (k *kernel) indexModules(ctx context.Context, tree string) error {
	if err := os.Symlink("usr/lib", filepath.Join(tree, "lib")); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("the modules cannot be put where modprobe looks for them: %w", err)
	}
	_, err := outputOf(ctx, "depmod", "-b", tree, k.release)
	return err
}

// module is a file that init is to load.
type module struct {
	name    string
	content []byte
}

// modules returns the modules given and those that they need, in the order of
// loading. What is built into this kernel is left out.
func (k *kernel) modules(ctx context.Context, names []string) ([]module, error) {
	var all []module
	seen := make(map[string]bool)
	for _, name := range names {
		listed, err := outputOf(ctx, "modprobe", "-d", filepath.Join(k.directory, modulesRoot), "-S", k.release, "--show-depends", name)
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(listed) {
			fields := strings.Fields(line)
			if len(fields) < 2 || fields[0] != "insmod" || seen[fields[1]] {
				continue
			}
			seen[fields[1]] = true
			packed, err := os.ReadFile(fields[1])
			if err != nil {
				return nil, fmt.Errorf("a module cannot be read: %w", err)
			}
			content, err := decompress(ctx, packed)
			if err != nil {
				return nil, err
			}
			base, _, _ := strings.Cut(filepath.Base(fields[1]), ".")
			all = append(all, module{base, content})
		}
	}
	return all, nil
}
