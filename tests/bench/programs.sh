# Sourced by run: the programs that are measured, the scenarios, and which of both belong together.
#
# Every program consumes one quorum queue and gets 200 deliveries at once, or fewer where fewer make
# it faster.
# shellcheck shell=bash disable=SC2154

programs_known=(ceiling revoker revoker-with-outcomes node-undici node-stytch faststream celery-native celery)
scenarios_known=(instant latency limited mixed idle)

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
# all before them, one is enough to show that. Idle, they are as fast as their broker and HTTP clients.
takes_part() { # PROGRAM SCENARIO
  case $2 in
    limited) [ "$1" != ceiling ] ;;
    mixed) is_one_of "$1" revoker revoker-with-outcomes node-undici ;;
    idle) is_one_of "$1" ceiling revoker node-undici ;;
  esac
}

# Where the API sets the pace and not the machine, a run takes minutes and rounds differ little: `mixed`
# has one, and so has `limited`, but for the worker that is compared with its goal.
rounds_of() { # PROGRAM SCENARIO
  case $2.$1 in
    limited.revoker) echo "$rounds" ;;
    limited.* | mixed.*) echo 1 ;;
    *) echo "$rounds" ;;
  esac
}

# Sets events_bulk and events_timed. Slow programs get no more than so many, for patience is limited;
# with far fewer rates say little: Node is still compiling, and Celery's step has not yet fallen behind.
set_events() { # PROGRAM SCENARIO
  local most
  case $1 in
    celery*) most=5000 ;;
    faststream) most=10000 ;;
    node-stytch) most=25000 ;;
    *) most=$events ;;
  esac
  events_timed=0
  case $2 in
    instant) events_bulk=$((events < most ? events : most)) ;;
    latency) events_bulk=$((events / 2 < most ? events / 2 : most)) ;;
    limited) events_bulk=$limited_events ;;
    mixed)
      events_bulk=$((limit_per_second * mixed_seconds))
      events_timed=$((mixed_seconds / urgent_seconds_between))
      ;;
    idle)
      events_bulk=1 # opens the connection to the API and is not timed
      events_timed=$idle_events
      ;;
  esac
  [ $((events_bulk + events_timed)) -lt 1000000 ] || stop_with "more events than the stub can tell apart"
}

# New names; also after a run that failed, which may have left anything behind.
choose_names() { prefix=bench-$RANDOM; }

# Sets what the broker's tool needs: the kind of target and its name, those of timed events, and the
# queues that hold what is left and what is dead.
set_targets() { # PROGRAM SCENARIO
  case $1 in
    revoker*)
      target=(exchange "$prefix.bulk") target_timed=(exchange "$prefix.urgent")
      [ "$2" != idle ] || target_timed[1]=$prefix.urgent,$prefix.bulk # by turns: both lanes are idle
      queues_left=("$prefix.bulk" "$prefix.urgent") queue_dead=$prefix.dead
      ;;
    *)
      target=(queue "$prefix.$1") target_timed=(queue "$prefix.$1")
      [ "$1" != celery-native ] || target[0]=celery
      queues_left=("$prefix.$1" "$prefix.$1.tasks") queue_dead=$prefix.$1.dead
      ;;
  esac
}

# Becomes the program.
start_program() { # PROGRAM SCENARIO
  export BENCH_AMQP_URL=$program_amqp_url BENCH_QUEUE=$prefix.$1 BENCH_API_URL=$stub_url BENCH_CONCURRENCY=$concurrency
  export BENCH_PROJECT_ID=$project_id BENCH_SECRET=$secret NODE_ENV=production
  case $1 in
    ceiling) exec "$bench-ceiling" "$program_amqp_url" "$BENCH_QUEUE" "$stub_url" ;;
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
  export REVOKER_AMQP_URL=$program_amqp_url REVOKER_PREFIX=$prefix REVOKER_STYTCH_BASE_URL=$stub_url
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
