// Os: the operating system behind interfaces, each with a twin that fails by seed.
//
// - files.h: Files (read, append, rename, sync), AtomicWrite, and the lock of a home folder
// - journal.h: an append-only file of checksummed records that survives a crash at any byte
// - zones.h: the time zones of the system
// - process.h: children without a shell, this machine's memory, cores and disk, the wish to stop
// - sim_files.h: a disk in memory that loses unsynced writes, tears them, fails and fills up
//
// What Flyball must not lose is written through Files and nothing else, so that every crash can be
// played in a test: crash_test.cc lives thousands of such lives, and shows with writers that do not
// sync that it would notice. Logic takes a Files&; only app/ and tests make one.
#pragma once
