# Sourced by tests/run and tests/soak: the fault rows as one part of the live tests, and their table.
# shellcheck shell=bash

rows_all=18

# Runs rows against a shared node; their reports go into a file, a line each.
run_rows() { # AMQP_URL NODE_DIR FORM FILE [ROW…]
  local url=$1 node=$2 form=$3 file=$4 filters=()
  shift 4
  local row
  [ $# -gt 0 ] || set -- $(seq "$rows_all")
  for row in "$@"; do
    filters+=("$(printf '::row_%02d_' "$row")")
    # What takes several nodes is too much for a test of every change.
    [ "$form" = short ] || filters+=("$(printf '::cluster_%02d_' "$row")")
  done
  : >"$file"
  LIVE_AMQP_URL=$url LIVE_NODE_DIR=$node LIVE_FORM=$form LIVE_ROWS_FILE=$file \
    cargo test --locked --features failpoints --test live -- --test-threads="${rows_at_once:-8}" "${filters[@]}"
}

# The table of what the rows reported, every row by number, and a summary as JSON in the last line.
# Fails if a row failed, lost or dead-lettered anything, or has not reported.
print_rows() { # FILE [ROW…]
  local file=$1
  shift
  awk -v wanted="${*:-$(seq -s ' ' "$rows_all")}" "$rows_awk" "$file"
}

# One report a line, flat JSON of our own. A row that has several tests has several lines.
rows_awk='
  function field(name,   parts) {
    if (split($0, parts, "\"" name "\":") < 2) return ""
    if (sub(/^"/, "", parts[2])) sub(/".*/, "", parts[2])
    else sub(/[,}].*/, "", parts[2])
    return parts[2]
  }
  function most(of, value) { if (value != "null" && value + 0 > of + 0 || of == "") return value == "null" ? of : value; return of }
  function shown(value) { return value == "" ? "-" : value }
  function mib(kib) { return kib == "" ? "-" : sprintf("%.1f", kib / 1024) }
  {
    row = field("row") + 0
    called = field("name")
    if (!(row in name)) name[row] = called
    else if (name[row] != called) name[row] = name[row] "; " called
    if (field("ok") != "true") failed[row] = 1
    events[row] += field("events"); faults[row] += field("faults"); lost[row] += field("lost")
    twice[row] += field("duplicated"); wrong[row] += field("wrongly_dead_lettered")
    gap[row] = most(gap[row], field("longest_gap_ms"))
    first[row] = most(first[row], field("rss_kib_start")); last[row] = most(last[row], field("rss_kib_end"))
    cpu[row] = most(cpu[row], field("paused_cpu_percent"))
  }
  END {
    bad = 0
    split(wanted, rows, " ")
    line = "%3s %8s %7s %6s %8s %7s %9s %7s %7s %6s %-6s %s\n"
    printf line, "row", "events", "faults", "lost", "twice", "wrongly", "gap s", "RSS MiB", "at end", "CPU %", "", "fault"
    for (i = 1; i in rows; i++) {
      row = rows[i]
      if (!(row in name)) { printf line, row, "-", "-", "-", "-", "-", "-", "-", "-", "-", "NONE", "no report"; bad = 1; continue }
      seen++
      result = row in failed || lost[row] + wrong[row] > 0 ? "FAILED" : "ok"
      if (result != "ok") bad = 1
      printf line, row, events[row], faults[row], lost[row], twice[row], wrong[row], sprintf("%.1f", gap[row] / 1000), mib(first[row]), mib(last[row]), cpu[row] == "" ? "-" : sprintf("%.2f", cpu[row]), result, name[row]
      sum_events += events[row]; sum_faults += faults[row]; sum_lost += lost[row]; sum_twice += twice[row]; sum_wrong += wrong[row]
    }
    print "twice: calls and dead letters beyond the first of an event; wrongly: dead-lettered; CPU: of one core, while it can only wait"
    printf "{\"rows\":%d,\"events\":%d,\"faults\":%d,\"lost\":%d,\"duplicated\":%d,\"wrongly_dead_lettered\":%d}\n", seen, sum_events, sum_faults, sum_lost, sum_twice, sum_wrong
    exit bad
  }'
