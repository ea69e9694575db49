# Sourced by run: the programs that are measured, the scenarios, and which of both belong together.
#
# Every program consumes one quorum queue and gets 200 deliveries at once, or fewer where fewer make
# it faster.
# shellcheck shell=bash disable=SC2154

programs_known=(ceiling revoker revoker-with-outcomes node-undici node-stytch faststream celery-native celery)
scenarios_known=(instant latency limited mixed)

concurrency=200
# Celery blocks a thread a call; more of them than these make it slower, and so do processes, of which
# a machine of two cores has no use for many.
celery_threads=8
celery_threads_latency=32

project_id=project-test-00000000-0000-4000-8000-000000000000
secret=bench

is_one_of() { # WORD WORD…
  local word=$1
  shift
  case " $* " in *" $word "*) ;; *) return 1 ;; esac
}
join_by() { local IFS=$1 && shift && printf '%s' "$*"; }

# The ceiling does not survive a refusal; of the peers, whose one queue makes urgent events wait for
# all before them, one is enough to show that.
takes_part() { # PROGRAM SCENARIO
  case $2 in
    limited) [ "$1" != ceiling ] ;;
    mixed) is_one_of "$1" revoker revoker-with-outcomes node-undici ;;
  esac
}

# Sets events_bulk and events_urgent. Slow programs get fewer, for patience is limited; with far fewer
# than these, rates say little: Node is still compiling, and Celery's step has not yet fallen behind.
set_events() { # PROGRAM SCENARIO
  events_urgent=0
  case $2 in
    instant | latency)
      case $1 in
        celery*) events_bulk=$((events / 10)) ;;
        faststream) events_bulk=$((events / 5)) ;;
        node-stytch) events_bulk=$((events / 2)) ;;
        *) events_bulk=$events ;;
      esac
      ;;
    limited) events_bulk=$limited_events ;;
    mixed)
      events_bulk=$((limit_per_second * mixed_seconds))
      events_urgent=$((mixed_seconds / urgent_seconds_between))
      ;;
  esac
  [ $((events_bulk + events_urgent)) -lt 1000000 ] || stop_with "more events than the stub can tell apart"
}

# New names; also after a run that failed, which may have left anything behind.
choose_names() { prefix=bench-$RANDOM; }

# Sets what the broker's tool needs: the kind of target and its name, those of urgent events, and the
# queues that hold what is left and what is dead.
set_targets() { # PROGRAM
  case $1 in
    revoker*)
      target=(exchange "$prefix.bulk") target_urgent=(exchange "$prefix.urgent")
      queues_left=("$prefix.bulk" "$prefix.urgent") queue_dead=$prefix.dead
      ;;
    *)
      target=(queue "$prefix.$1") target_urgent=(queue "$prefix.$1")
      [ "$1" != celery-native ] || target[0]=celery
      queues_left=("$prefix.$1" "$prefix.$1.tasks") queue_dead=$prefix.$1.dead
      ;;
  esac
}

# Becomes the program.
start_program() { # PROGRAM SCENARIO
  export BENCH_AMQP_URL=$amqp_url BENCH_QUEUE=$prefix.$1 BENCH_API_URL=$stub_url BENCH_CONCURRENCY=$concurrency
  export BENCH_PROJECT_ID=$project_id BENCH_SECRET=$secret NODE_ENV=production
  case $1 in
    ceiling) exec "$bench-ceiling" "$amqp_url" "$BENCH_QUEUE" "$stub_url" ;;
    revoker) start_worker off "$2" ;;
    revoker-with-outcomes) start_worker on "$2" ;;
    node-undici) exec node "$peers/node/undici.mjs" ;;
    node-stytch) exec node "$peers/node/sdk.mjs" ;;
    faststream) exec "$peers/venv/bin/faststream" run --app-dir tests/bench/peers/python faststream_worker:app ;;
    celery) BENCH_BRIDGE=1 start_celery "$2" ;;
    celery-native) start_celery "$2" ;;
  esac
}

start_worker() { # OUTCOMES SCENARIO
  # Without a known limit the worker feels its way up from a low rate. Where there is no limit that
  # is not what is compared, so it is told that it may start at full speed.
  case $2 in instant | latency) export REVOKER_START_RATE=100000 ;; esac
  export REVOKER_AMQP_URL=$amqp_url REVOKER_PREFIX=$prefix REVOKER_STYTCH_BASE_URL=$stub_url
  export REVOKER_STYTCH_PROJECT_ID=$project_id REVOKER_STYTCH_SECRET=$secret
  export REVOKER_ADMIN_ADDR=$admin REVOKER_OUTCOMES=$1
  exec "$release/revoker" run
}

start_celery() { # SCENARIO
  local threads=$celery_threads
  [ "$1" != latency ] || threads=$celery_threads_latency
  exec "$peers/venv/bin/celery" --workdir tests/bench/peers/python --app celery_worker worker \
    --pool threads --concurrency "$threads" --loglevel WARNING --without-gossip --without-mingle
}

# The worker's topology is its own to declare, so it is started once before events are published.
declare_topology() {
  local pid deadline=$((SECONDS + 30))
  admin=127.0.0.1:$(free_port)
  start_program revoker-with-outcomes instant >>"$scratch/log" 2>&1 &
  pid=$!
  pids+=("$pid")
  until [[ $(get "$admin" /readyz) == *'"ready":true'* ]]; do
    if ! kill -0 "$pid" 2>/dev/null || [ "$SECONDS" -ge "$deadline" ]; then
      tail -n 20 "$scratch/log" >&2
      stop_with "the worker did not start; its last lines are above"
    fi
    sleep 0.2
  done
  end_program "$pid"
  declared=$prefix
}

free_port() {
  local port
  while port=$((20000 + (RANDOM << 15 | RANDOM) % 12000)); do
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
  done
  echo "$port"
}
