import { run } from '../../src/core/system/processes.js';

/** What git is told, so that nobody's own settings count. */
const GIT = `
  export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null GIT_CONFIG_COUNT=2
  export GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*'
  export GIT_CONFIG_KEY_1=gc.auto GIT_CONFIG_VALUE_1=0
  export GIT_AUTHOR_NAME=Nobody GIT_AUTHOR_EMAIL=nobody@example.org
  export GIT_COMMITTER_NAME=Nobody GIT_COMMITTER_EMAIL=nobody@example.org`;

/** A tree for tar(1), with modes, links and holes. */
export const MAKE_TAR = `
  mkdir -p "$W/tree/a/b/c" "$W/tree/empty"; cd "$W/tree"
  for i in {1..40}; do head -c $((i * 300)) /dev/urandom > a/file$i; chmod $((600 + i % 8 * 10 + i % 5)) a/file$i; done
  ln a/file1 a/b/hard; ln -s ../file2 a/b/soft; mkfifo a/b/c/fifo; truncate -s 300000 a/b/c/hole
  echo x | dd of=a/b/c/hole bs=1 seek=200000 conv=notrunc status=none
  touch -d '1999-12-31 23:59:59.123456789' a/file3
  tar -C "$W" -cf "$W/tree.tar" tree; rm -r "$W/tree"`;

/**
 * Works in the directory $P as people do, noting in $NOTES what has succeeded: a line of a word and a number each. A step
 * that fails has met a full disk, or the mount has gone: the latter ends it.
 */
export const WORK = `
  trap 'exit 0' TERM
  RANDOM=$SEED
  ${GIT}
  note() { echo "$1 $2" >> "$NOTES"; }
  rest() { sleep "$(printf '0.%03d' $((RANDOM % 500)))"; }
  setup() {
    mkdir -p "$P" && cd "$P" || return
    [ -e repository/.git/HEAD ] || git init -q -b main repository || return
    # Who is killed leaves its locks.
    find repository/.git -name '*.lock' -delete || return
    for db in rollback wal; do
      # All of it or nothing: the disk may be full in the middle.
      sqlite3 -bail $db.db "PRAGMA journal_mode=$([ $db = wal ] && echo wal || echo delete); BEGIN IMMEDIATE;
        CREATE TABLE IF NOT EXISTS moves (n INTEGER PRIMARY KEY, bytes BLOB);
        CREATE TABLE IF NOT EXISTS accounts (id INTEGER PRIMARY KEY, money INTEGER);
        INSERT OR IGNORE INTO accounts VALUES (1, 500), (2, 500); COMMIT;" || return
    done
  }
  commit() {
    local n; n=$(git -C repository rev-list --count HEAD 2>&-) || n=0
    mkdir -p repository/dir$((n % 7)) && echo "text $n $RANDOM" > repository/dir$((n % 7))/file$((n % 30)) &&
    git -C repository add -A && git -C repository commit -q --allow-empty -m "change $n" && note git $((n + 1))
    ((n % 25 == 24)) && git -C repository gc -q
  }
  transact() {
    local n
    n=$(sqlite3 -bail -cmd '.timeout 5000' $1.db "BEGIN IMMEDIATE; INSERT INTO moves (bytes) VALUES (randomblob($((RANDOM % 9000))));
      UPDATE accounts SET money = money - 7 WHERE id = 1; UPDATE accounts SET money = money + 7 WHERE id = 2;
      DELETE FROM moves WHERE n < (SELECT max(n) FROM moves) - 200; SELECT max(n) FROM moves; COMMIT;") && note $1 "$n"
  }
  append() {
    echo $((appended + 1)) >> appended && note append $((appended + 1))
    # What was refused may have come to something.
    appended=$(wc -l < appended) || exit 0
  }
  save() {
    saved=$((saved + 1))
    { echo $saved && head -c $((RANDOM * 3)) /dev/zero | tr '\\0' s && echo && echo $saved; } > .document.swp$$ &&
    mv -f .document.swp$$ document && note save $saved
    if ((RANDOM % 3 == 0)); then ln -f document document~ && chmod 640 document; fi
  }
  unpack() {
    rm -rf tree && tar -xpf "$TAR" && note untar 1
    ((RANDOM % 3 == 0)) && mv tree/a tree/moved && setfattr -n user.a -v "$RANDOM" tree/moved 2>&-
  }
  setup
  cd "$P" || exit 0
  # Where there is none of them because the mount has gone, nothing else can be listed either.
  if [ -e appended ]; then appended=$(wc -l < appended) || exit 0; else appended=0; fi
  if [ -e document ]; then saved=$(head -1 document) || exit 0; else saved=0; fi
  ls "$P" > /dev/null 2>&1 || exit 0
  # What the kernel remembers it tells of a dead mount, too; it does not open a directory there.
  while ls "$P" > /dev/null 2>&1; do
    cd "$P" || exit 0
    case $((RANDOM % 12)) in
      0 | 1) commit ;;
      2 | 3) transact rollback ;;
      4 | 5) transact wal ;;
      6 | 7 | 8) append ;;
      9 | 10) save ;;
      11) unpack ;;
    esac
    rest
  done
  exit 0`;

/** The last number that was noted of each kind. */
function lastNotes(text: string): Map<string, number> {
  const words = text
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split(' '));
  return new Map(words.map(([kind, number]) => [kind ?? '', Number(number)]));
}

/**
 * Looks at what WORK has made, in a copy, so that no check changes it: prints what is wrong, a line each. The numbers
 * are the least that has to be there.
 */
const CHECK = `
  ${GIT}
  cp -a "$P" "$COPY"; cd "$COPY"
  if [ "\${git:-0}" -gt 0 ]; then
    git -C repository fsck --full --strict > "$COPY/fsck" 2>&1 || echo "git fsck: $(head -3 "$COPY/fsck")"
    n=$(git -C repository rev-list --count HEAD 2>&1); [ "$n" -ge "$git" ] || echo "git: $n commits of $git"
  fi
  for db in rollback wal; do
    [ "\${!db:-0}" -gt 0 ] || continue
    answer=$(sqlite3 $db.db 'PRAGMA integrity_check; SELECT sum(money) FROM accounts; SELECT max(n) FROM moves;' 2>&1) || true
    read -rd '' ok sum n <<< "$answer" || true
    [ "$ok" = ok ] && [ "$sum" = 1000 ] && [ "$n" -ge "\${!db}" ] || echo "sqlite $db: not ok, 1000 and \${!db}, but: $answer"
  done
  if [ "\${append:-0}" -gt 0 ]; then
    n=$(wc -l < appended); [ "$n" -ge "$append" ] || echo "append: $n lines of $append"
    [ "$(cat appended)" = "$(seq "$n")" ] || echo "append: the lines are not those of 1 to $n"
  fi
  if [ "\${save:-0}" -gt 0 ]; then
    { [ "$(head -1 document)" = "$(tail -1 document)" ] && [ "$(head -1 document)" -ge "$save" ]; } ||
      echo "save: $(head -1 document) to $(tail -1 document), not $save or later"
  fi`;

/**
 * @param directory what WORK has made, or a replica of it. @param scratch a directory that is not there, for a copy
 * @param notes what WORK has noted. @returns what is wrong
 */
export async function checkWork(
  directory: string,
  scratch: string,
  notes: string,
): Promise<string[]> {
  const env = {
    P: directory,
    COPY: scratch,
    ...Object.fromEntries([...lastNotes(notes)].map(([k, v]) => [k, String(v)])),
  };
  const { stdout, stderr, code } = await run('bash', ['-c', CHECK], { env, okCodes: [1, 2, 128] });
  await run('rm', ['-rf', scratch]);
  const failed = code === 0 ? [] : [`the check failed with ${code}: ${stderr.trim()}`];
  return [...stdout.split('\n').filter(Boolean), ...failed].map((line) => `${directory}: ${line}`);
}

export async function makeTar(directory: string): Promise<string> {
  await run('bash', ['-euc', MAKE_TAR], { env: { W: directory } });
  return `${directory}/tree.tar`;
}
