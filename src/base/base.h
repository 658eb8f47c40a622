// Base: what every floor of Flyball stands on: plain values and functions over them. No input or
// output but the log, nothing global but the log; includes nothing of Flyball but itself.
//
// - result.h: Result<T>, Status, Error (code, hint, place): how fallible functions answer
// - assert.h: FB_ASSERT, on in production: where going on would write wrong numbers
// - money.h: Money and Quantity, exact decimals in 128 bits: read, sum, multiply, split
// - raw_sum.h: a second exact sum over raw text, sharing no code with Money, to check imports
// - time.h: UTC instants, periods, and the tolerant reading of the dates that bills write
// - zone.h: a time zone as a plain value
// - clock.h: Clock and Random with simulated twins; the only place that reads the machine's clocks
// - hash.h: SHA-256 names content, XXH3 keys signatures, CRC-32C guards records
// - text.h: UTF-8, globs, JSON strings, sizes for people
// - ids.h: numbers that cannot be mistaken for each other; column.h: the types of columns
// - log.h: one line a fact; bugs that are counted and survived
#pragma once
