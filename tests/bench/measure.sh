# Sourced by run: one run of one program from a full queue to its last ack, seen from outside.
# shellcheck shell=bash disable=SC2154

# Retries may wait a minute each; a program that gets nothing done for longer than this is done.
stall_seconds_max=150
# How long a program may take to start, and to end on request.
start_seconds_max=60
stop_seconds_max=40
ticks_per_second=$(getconf CLK_TCK)

# Sets stub_url and what programs are given as the broker's URL: its own or that of a tap on the way to it.
start_stub() { # SCENARIO
  local latency=0 limit=0 tap_to=() tap
  case $1 in
    latency) latency=$latency_ms ;;
    limited | mixed) limit=$limit_per_second ;;
    idle) tap_to=("$(sed 's|.*@\([^/]*\)/.*|\1|' <<<"$amqp_url")") ;;
  esac
  : >"$scratch/stub"
  "$bench-stub" "$latency" "$limit" "${tap_to[@]}" >"$scratch/stub" &
  stub_pid=$!
  pids+=("$stub_pid")
  until [ -s "$scratch/stub" ]; do sleep 0.05; done
  read -r stub_url tap <"$scratch/stub"
  program_amqp_url=$amqp_url
  [ -z "$tap" ] || program_amqp_url=${amqp_url/@*\//@$tap/}
}

stop_stub() { end_program "$stub_pid"; }

# GET without a process of its own: this runs beside what is measured.
get() { # HOST:PORT PATH -> the last line of the answer, empty if nobody listens
  local line='' last=''
  { exec 3<>"/dev/tcp/${1%:*}/${1#*:}"; } 2>/dev/null || return 0
  printf 'GET %s HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n' "$2" >&3
  while IFS= read -r line || [ -n "$line" ]; do last=$line && line=''; done <&3
  exec 3<&- 3>&-
  printf '%s' "$last"
}
read_count() { read -r calls refused distinct doubled first_us last_us <<<"$(get "${stub_url#http://}" /count)"; }

broker() { "$bench-broker" "$amqp_url" "$@"; }

# Sets tree: a process and its descendants.
read_tree() { # PID
  local i children file
  tree=("$1")
  for ((i = 0; i < ${#tree[@]}; i++)); do
    for file in "/proc/${tree[i]}"/task/*/children; do
      # A thread may end between the look and the reading.
      children=()
      { read -r -a children <"$file"; } 2>/dev/null || true
      tree+=("${children[@]}")
    done
  done
}

# Sets cpu_ticks of a tree: user and system time, that of ended children included.
read_cpu() { # PID
  local pid stat
  cpu_ticks=0
  read_tree "$1"
  for pid in "${tree[@]}"; do
    { IFS= read -r stat <"/proc/$pid/stat"; } 2>/dev/null || continue
    # shellcheck disable=SC2206
    stat=(${stat##*) })
    cpu_ticks=$((cpu_ticks + stat[11] + stat[12] + stat[13] + stat[14]))
  done
}

# Sets rss_kib: the process's own peak. Of several processes it is what they hold now, each shared page
# counted once: adding up their peaks would count such pages again and again.
read_rss() { # PID
  local pid
  read_tree "$1"
  # A process may have ended meanwhile; why is told elsewhere.
  if [ ${#tree[@]} -eq 1 ]; then
    rss_kib=$(awk '$1 == "VmHWM:" { print $2 }' "/proc/$1/status" 2>/dev/null) || true
  else
    rss_kib=$(for pid in "${tree[@]}"; do cat "/proc/$pid/smaps_rollup" 2>/dev/null || true; done | awk '$1 == "Pss:" { sum += $2 } END { print sum + 0 }')
  fi
}

end_tree() { # SIGNAL PID
  read_tree "$2"
  kill "-$1" "${tree[@]}" 2>/dev/null || true
}

end_program() { # PID
  local pid=$1 other others=() deadline=$((SECONDS + stop_seconds_max))
  kill -TERM "$pid" 2>/dev/null || true
  while kill -0 "$pid" 2>/dev/null; do
    [ "$SECONDS" -lt "$deadline" ] || end_tree KILL "$pid"
    sleep 0.05
  done
  wait "$pid" 2>/dev/null || true
  for other in "${pids[@]}"; do [ "$other" = "$pid" ] || others+=("$other"); done
  pids=("${others[@]}")
}

# One run; appends a line to results: scenario, program, events, then what the header in run names.
measure() { # PROGRAM SCENARIO
  local program=$1 scenario=$2 pid failure='' trickle='' left timed since=published
  [ "$scenario" != idle ] || since=delivered
  set_events "$program" "$scenario"
  set_targets "$program" "$scenario"
  case $program in revoker*) [ "${declared:-}" = "$prefix" ] || declare_topology ;; esac
  broker purge "${queues_left[@]}" "$queue_dead"
  broker fill "${target[@]}" "$events_bulk"
  get "${stub_url#http://}" /reset >/dev/null
  : >"$scratch/log"
  start_program "$program" "$scenario" >>"$scratch/log" 2>&1 &
  pid=$!
  pids+=("$pid")
  watch_program "$pid"
  [ -n "$failure" ] || sleep 0.5 # the last acks
  read_cpu "$pid"
  read_rss "$pid"
  read_count
  end_program "$pid"
  [ -z "$trickle" ] || end_program "$trickle"
  read_left
  [ -n "$failure" ] || [ "$left" -eq 0 ] || failure="it left $left events in its queue"
  timed=$(get "${stub_url#http://}" "/$since")
  [ -n "$failure" ] || [ "$scenario" != idle ] || [ "${timed%% *}" -eq "$events_timed" ] ||
    failure="${timed%% *} of $events_timed deliveries were timed"
  if [ -n "$failure" ]; then
    note_failure
    return
  fi
  dead=$(broker count "$queue_dead")
  awk -v n="$distinct" -v us=$((last_us - first_us)) -v ticks=$((cpu_ticks - cpu_before)) -v hz="$ticks_per_second" \
    -v head="$scenario $program $((events_bulk + events_timed))" -v rss="$rss_kib" \
    -v tail="$calls $refused $((events_bulk + events_timed - distinct - dead)) $doubled $dead $timed" \
    'BEGIN { printf "%s %.0f %.1f %d %.3f %s\n", head, n * 1e6 / us, ticks * 1e6 / hz / n, rss, us / 1e6, tail }' >>"$scratch/results"
  echo "  $(tail -n 1 "$scratch/results" | cut -d' ' -f4-) ($program)"
}

note_failure() {
  echo "  $program failed: $failure; its last lines:"
  tail -n 15 "$scratch/log" | sed 's/^/    /'
  echo "$scenario $program $failure" >>"$scratch/failures"
  choose_names
}

# Waits until every event was called or is dead, or nothing moves any more; sets cpu_before and, when
# the program let the run down, failure.
watch_program() { # PID
  local pid=$1 done_before=-1 moved=$SECONDS looked=$SECONDS
  dead=0 distinct=0
  read_cpu "$pid"
  cpu_before=$cpu_ticks
  while read_count && [ $((distinct + dead)) -lt $((events_bulk + events_timed)) ]; do
    kill -0 "$pid" 2>/dev/null || { failure="it ended at $distinct of $((events_bulk + events_timed)) events" && return; }
    if [ "$calls" -eq 0 ]; then
      # What it needed to start is not what is compared.
      read_cpu "$pid" && cpu_before=$cpu_ticks
      [ $((SECONDS - moved)) -lt "$start_seconds_max" ] || { failure="it made no call in $start_seconds_max s" && return; }
      sleep 0.05
      continue
    fi
    [ "$events_timed" -eq 0 ] || [ -n "$trickle" ] || start_trickle
    if [ $((distinct + dead)) -ne "$done_before" ]; then
      done_before=$((distinct + dead)) moved=$SECONDS
    elif [ $((SECONDS - moved)) -ge "$stall_seconds_max" ]; then
      break # what is missing now counts as lost or left
    elif [ $((SECONDS - moved)) -ge 3 ] && [ $((SECONDS - looked)) -ge 3 ]; then
      # Looking costs the broker something, so it is done only when little goes on.
      dead=$(broker count "$queue_dead") looked=$SECONDS
    fi
    sleep 0.1
  done
}

# Sets trickle. While an idle program is measured nothing else may go on, so that is waited for.
start_trickle() {
  local seconds=("$urgent_seconds_between" "$urgent_seconds_between")
  if [ "$scenario" = idle ]; then
    seconds=("$idle_seconds_min" "$idle_seconds_max")
    sleep 1 # until it has nothing to do
  fi
  broker trickle "${target_timed[@]}" "$events_bulk" "$events_timed" "${seconds[@]}" &
  trickle=$!
  pids+=("$trickle")
  [ "$scenario" != idle ] || wait "$trickle" || failure="the events did not trickle in"
}

# Sets left: what went back to the queue when the program ended. It takes the broker a moment.
read_left() {
  for _ in {1..10}; do
    left=$(broker count "${queues_left[@]}")
    [ "$left" -gt 0 ] || return 0
    sleep 0.5
  done
}
