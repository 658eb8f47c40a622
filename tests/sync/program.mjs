// The program on homes of its own, as a person runs it, for tests of flyball sync.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const program = process.env.FLYBALL_BIN;

export function temporaryFolder() {
  const path = mkdtempSync(join(tmpdir(), "flyball-sync-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }) };
}

// Homes below a folder, and what is done with them; `secrets` is the environment where a test says nothing else.
export function workbench(root, secrets) {
  let homes = 0;
  function makeHome(sources) {
    const home = join(root.path, `home${++homes}`);
    mkdirSync(home);
    writeFileSync(join(home, "estate.yaml"), `sources:\n${sources.map((source) => `  - ${source}\n`).join("")}`);
    return home;
  }
  function run(home, args, env = secrets) {
    return new Promise((resolve) => {
      execFile(program, [...args, "--home", home], { env: { ...process.env, ...env }, maxBuffer: 64 << 20 }, (error, out, err) =>
        resolve({ code: error ? error.code : 0, out, err }));
    });
  }
  async function sync(home, args = [], env = secrets) {
    const ended = await run(home, ["sync", ...args, "--format", "json"], env);
    const report = ended.out ? JSON.parse(ended.out) : {};
    ended.sets = Object.fromEntries((report.sources ?? []).flatMap((source) => source.sets.map((set) => [set.set, set])));
    ended.failures = report.failures ?? (report.error ? [report.error] : []);
    ended.report = report;
    return ended;
  }
  async function synced(home, args, env) {
    const ended = await sync(home, args, env);
    assert.equal(ended.code, 0, ended.err);
    return ended;
  }
  // Of each month.
  async function costs(home) {
    const { out } = await run(home, ["query", "--measures", "billed_cost", "--grain", "month", "--format", "json"]);
    return Object.fromEntries(JSON.parse(out).rows.map((row) => [row.period, row.billed_cost]));
  }
  // Everything of a home that a half import would change.
  const commits = async (home) => (existsSync(join(home, "log")) ? JSON.parse((await run(home, ["commits", "--format", "json"])).out) : []).commits?.length ?? 0;
  return { makeHome, run, sync, synced, costs, commits };
}

export const outcomes = (ended) => Object.fromEntries(Object.entries(ended.sets).map(([id, set]) => [id, set.outcome]));
