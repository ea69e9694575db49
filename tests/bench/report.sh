# Sourced by run: medians over the rounds as Markdown, and what they were measured on.
# shellcheck shell=bash disable=SC2154

# The columns of a table: heading, then how it is made from a line of results. Of counts that ought
# to be 0 the worst round is shown, of all else the median.
table_awk='
  function median(of,   n, i, j, t, v) {
    n = runs[of]
    for (i = 1; i <= n; i++) v[i] = values[of, i] + 0
    for (i = 2; i <= n; i++) { t = v[i]; for (j = i - 1; j > 0 && v[j] > t; j--) v[j + 1] = v[j]; v[j + 1] = t }
    return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
  }
  function worst(of,   i, most) {
    for (i = 1; i <= runs[of]; i++) if (values[of, i] > most + 0) most = values[of, i]
    return most + 0
  }
  function keep(name, value) { values[$2 SUBSEP name, ++runs[$2 SUBSEP name]] = value }
  function of(name) { return program SUBSEP name }
  function against_worker(name) { return ("revoker", name) in runs ? sprintf("%.2f", median(of(name)) / median("revoker" SUBSEP name)) : "–" }
  function cost() { return sprintf("%.0f | %.0f", median(of("cpu")), median(of("rss")) / 1024) }
  function faults() { return sprintf("%d | %d | %d", worst(of("lost")), worst(of("doubled")), worst(of("dead"))) }
  BEGIN {
    unit = scenario == "idle" ? 1 : 1000
    common = " | CPU ms per 1,000 | peak RSS MiB | lost | doubled | dead-lettered |"
    if (scenario == "limited") head = "| program | rounds | s to finish | ÷ ideal | calls refused" common
    else if (scenario == "mixed") head = "| program | rounds | urgent events | urgent p50 ms | p99 ms | longest ms | s to finish | ÷ ideal | calls refused" common
    else if (scenario == "idle") head = "| program | events | p50 µs | p99 µs | longest µs | CPU % of a core | peak RSS MiB | lost | doubled | dead-lettered |"
    else head = "| program | events | events/s | ÷ revoker | CPU ÷ revoker" common
    rule = head
    gsub(/[^|]+/, "---", rule)
    print head "\n" rule
  }
  $1 == scenario {
    if (!($2 in seen)) { seen[$2] = 1; order[++programs] = $2 }
    keep("n", $3); keep("rate", $4); keep("cpu", $5); keep("rss", $6); keep("seconds", $7); keep("wasted", 100 * $9 / $8)
    keep("lost", $10); keep("doubled", $11); keep("dead", $12)
    keep("timed", $13); keep("core", $3 * $5 / $7 / 1e4); keep("p50", $14 / unit); keep("p99", $15 / unit); keep("longest", $16 / unit)
  }
  END {
    for (i = 1; i <= programs; i++) {
      program = order[i]
      limited = sprintf("%.1f | %.2f | %.1f %%", median(of("seconds")), median(of("seconds")) * limit / median(of("n")), median(of("wasted")))
      timed = sprintf("%d | %.0f | %.0f | %.0f", median(of("timed")), median(of("p50")), median(of("p99")), worst(of("longest")))
      rate = sprintf("%d | %.0f | %s | %s", median(of("n")), median(of("rate")), against_worker("rate"), against_worker("cpu"))
      if (scenario == "idle") row = sprintf("%s | %.1f | %.0f", timed, median(of("core")), median(of("rss")) / 1024)
      else if (scenario == "limited") row = runs[of("n")] " | " limited " | " cost()
      else if (scenario == "mixed") row = runs[of("n")] " | " timed " | " limited " | " cost()
      else row = rate " | " cost()
      print "| " program " | " row " | " faults() " |"
    }
  }'

heading() { # SCENARIO
  case $1 in
    instant) echo "An API that answers at once, and $events events in the queue" ;;
    latency) echo "An API that answers after $latency_ms ms" ;;
    limited) echo "An API that allows $limit_per_second calls a second, which nobody was told; $limited_events events" ;;
    mixed) echo "The same limit: an urgent event every $urgent_seconds_between s amid $((limit_per_second * mixed_seconds)) others" ;;
    idle) echo "Nothing to do but an event now and then: from its delivery to its call" ;;
  esac
}

# What the worker is held to.
goals() { # SCENARIO
  case $1 in
    instant) echo "Goals of \`revoker\`: at least the ceiling's rate for at most its CPU, and at most 40 MiB with 100,000 events in the queue." ;;
    limited) echo "Goals of the worker, from 20,000 events on: at most 1.07 × ideal, 1 % of the calls refused, nothing dead-lettered." ;;
    idle) echo "Goal of the worker: at most 1,000 µs at the 99th percentile." ;;
  esac
}

report() {
  local scenario
  printf '# Results\n\nMade by `tests/bench/run`; what the numbers mean is in [README.md](README.md).\n'
  describe_machine
  for scenario in "${scenarios[@]}"; do
    printf '\n## `%s`: %s\n\n' "$scenario" "$(heading "$scenario")"
    [ -z "$(goals "$scenario")" ] || printf '%s\n\n' "$(goals "$scenario")"
    awk -v scenario="$scenario" -v limit="$limit_per_second" "$table_awk" "$scratch/results"
  done
  [ ! -s "$scratch/failures" ] || printf '\nRuns that failed and are left out (scenario, program, why):\n\n%s\n' "$(sed 's/^/- /' "$scratch/failures")"
}

describe_machine() {
  local cpu
  cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
  printf '\n%d cores (%s), Linux %s, load before %s. RabbitMQ %s, %s' "$(nproc)" "${cpu:-unknown}" "$(uname -r)" "$load_before" \
    "$(deploy/rabbitmq/private-node ctl "$scratch/node" version)" "$(rustc --version | cut -d' ' -f1-2)"
  case " ${only[*]} " in *' node-'*) printf '; Node %s with %s' "$(node --version)" "$(node_versions)" ;; esac
  case " ${only[*]} " in *' faststream '* | *' celery'*) printf '; %s with %s' "$("$peers/venv/bin/python" --version)" "$(python_versions)" ;; esac
  printf '.\n%s, medians of %d rounds; it took %d minutes.\n' "$began" "$rounds" $(((SECONDS + 30) / 60))
}

node_versions() {
  sed -n '/"dependencies"/,/}/s/^ *"\([^"]*\)": "\([0-9][^"]*\)".*/\1 \2/p' tests/bench/peers/node/package.json | paste -sd, - | sed 's/,/, /g'
}

python_versions() {
  grep -E '^(aio-pika|aiohttp|celery|faststream|kombu|requests|stytch|tenacity)==' tests/bench/peers/python/requirements.txt |
    sed 's/==/ /' | paste -sd, - | sed 's/,/, /g'
}

# The worker without outcomes over the ceiling, which records none either.
report_json() {
  median_of() { # PROGRAM FIELD
    awk -v program="$1" -v field="$2" '$1 == "instant" && $2 == program { print $field }' "$scratch/results" |
      sort -n | awk '{ v[NR] = $1 } END { if (NR) print (NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2) }'
  }
  local rate cpu rss ceiling_rate ceiling_cpu
  rate=$(median_of revoker 4) cpu=$(median_of revoker 5) rss=$(median_of revoker 6)
  ceiling_rate=$(median_of ceiling 4) ceiling_cpu=$(median_of ceiling 5)
  [ -n "$rate" ] && [ -n "$ceiling_rate" ] || return 0
  awk -v r="$rate" -v cr="$ceiling_rate" -v c="$cpu" -v cc="$ceiling_cpu" -v m="$rss" \
    'BEGIN { printf "{\"rate_ratio\":%.2f,\"cpu_ratio\":%.2f,\"rss_mib\":%.1f}\n", r / cr, c / cc, m / 1024 }'
}
