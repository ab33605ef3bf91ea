const tick = () => new Promise((r) => setImmediate(r));
const once = () => {
  const a = new AbortController();
  const superseded = new AbortController();
  const either = AbortSignal.any([a.signal, superseded.signal]);
  const leave = () => undefined;
  either.addEventListener('abort', leave, { once: true });
  either.removeEventListener('abort', leave);
};
const rounds = [];
for (let round = 0; round < 8; round += 1) {
  for (let i = 0; i < 10000; i += 1) { once(); if (i % 100 === 0) await tick(); }
  for (let i = 0; i < 5; i += 1) { globalThis.gc(); await tick(); await new Promise((r) => setTimeout(r, 20)); }
  rounds.push(Math.round(process.memoryUsage().heapUsed / 1e5) / 10);
}
console.log(rounds.join(' '));
