// Answers for one DuckDB database on a Unix socket; each connection is one of DuckDB's own. See duckdb.cc for the protocol.
//
//   node duckdb.mjs SOCKET DATABASE-FILE
import fs from 'node:fs';
import net from 'node:net';
import { DuckDBInstance } from '@duckdb/node-api';

const [socketPath, file] = process.argv.slice(2);
const database = await DuckDBInstance.create(file);

const sizeOf = (path) => (fs.existsSync(path) ? fs.statSync(path).size : 0);

// The result as it lies in DuckDB's columns: what a program that goes on computing would read.
async function timed(work) {
  const start = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - start) / 1e9;
}

async function answer(state, operation, payload) {
  switch (operation) {
    case 'time':
      return { seconds: await timed(() => state.connection.runAndReadAll(payload)) };
    case 'rows': {
      if (payload === 'file size') return { text: `${sizeOf(file) + sizeOf(`${file}.wal`)}\n` };
      const reader = await state.connection.runAndReadAll(payload);
      return { text: reader.getRows().map((row) => `${row.map(String).join('\t')}\n`).join('') };
    }
    case 'prepare':
      state.batch = await state.connection.prepare(payload);
      return {};
    case 'batch':
      return {
        seconds: await timed(async () => {
          state.batch.bindVarchar(1, payload);
          await state.batch.run();
        }),
      };
    default:
      throw new Error(`unknown operation ${operation}`);
  }
}

async function serve(socket) {
  const state = { connection: await database.connect(), batch: null };
  let buffered = Buffer.alloc(0);
  try {
    for await (const chunk of socket) {
      buffered = Buffer.concat([buffered, chunk]);
      for (;;) {
        const end = buffered.indexOf(10);
        if (end < 0) break;
        const [operation, length] = buffered.toString('latin1', 0, end).split(' ');
        const next = end + 1 + Number(length);
        if (buffered.length < next) break;
        const payload = buffered.toString('utf8', end + 1, next);
        buffered = buffered.subarray(next);
        let status = 'ok';
        let result;
        try {
          result = await answer(state, operation, payload);
        } catch (error) {
          status = 'error';
          result = { text: String(error.message ?? error) };
        }
        const body = Buffer.from(result.text ?? '');
        socket.write(Buffer.concat([Buffer.from(`${status} ${result.seconds ?? 0} ${body.length}\n`), body]));
      }
    }
  } finally {
    state.connection.closeSync();
  }
}

net.createServer((socket) => {
  socket.on('error', () => socket.destroy());
  serve(socket).catch(() => socket.destroy());
}).listen(socketPath);
