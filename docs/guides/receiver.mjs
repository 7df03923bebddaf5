// A receiver: takes each request once, if its signature is right, and prints what it says.

import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const KEY = Buffer.from(process.env.SIGNING_SECRET.replace(/^whsec_/, ""), "base64");
const BODY_BYTES_MAX = 8 * 1024 * 1024;
const TOLERANCE_S = 5 * 60;
const seen = new Set(); // in a real receiver: a table with a unique column, written with what you store

function isAuthentic(headers, body) {
  const sentAt = headers["webhook-timestamp"] ?? "";
  if (!/^\d{1,12}$/.test(sentAt) || Math.abs(Date.now() / 1000 - Number(sentAt)) > TOLERANCE_S) return false;
  const signed = createHmac("sha256", KEY).update(`${headers["webhook-id"]}.${sentAt}.`).update(body);
  const right = Buffer.from(`v1,${signed.digest("base64")}`);
  return (headers["webhook-signature"] ?? "").split(" ").some((text) => {
    const given = Buffer.from(text);
    return given.length === right.length && timingSafeEqual(given, right);
  });
}

async function bodyOf(request) {
  const parts = [];
  let bytes = 0;
  for await (const part of request) {
    bytes += part.length;
    if (bytes > BODY_BYTES_MAX) return null;
    parts.push(part);
  }
  return Buffer.concat(parts);
}

// Your own work stands here. JSON.stringify keeps control characters off the terminal.
function take(id, document) {
  const messages = document.messages ?? [document.message];
  console.log(`${id}: chat ${JSON.stringify(document.chat.full_name)}, messages: ${messages.length}`);
  for (const message of messages) {
    console.log(`  ${JSON.stringify(message.sender.full_name)}: ${JSON.stringify(message.text)}`);
  }
}

async function answer(request) {
  if (request.method !== "POST") return 405;
  const body = await bodyOf(request);
  if (body === null) return 413;
  if (!isAuthentic(request.headers, body)) return 401;
  const id = request.headers["webhook-id"];
  if (!seen.has(id)) {
    take(id, JSON.parse(body));
    seen.add(id);
  }
  return 200;
}

const server = createServer({ requestTimeout: 30_000 }, async (request, response) => {
  try {
    response.writeHead(await answer(request)).end();
  } catch {
    response.destroy(); // hookbundle tries again
  }
});
server.listen(Number(process.argv[2]), "127.0.0.1", () => {
  console.log(`receiving at http://127.0.0.1:${server.address().port}/`);
});
