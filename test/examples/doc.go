// Package examples checks the configuration files of examples/ that are meant for
// other programs, with those programs' own parsers where they can be had. It is a
// module of its own so that no other tests depend on these parsers.
package examples
