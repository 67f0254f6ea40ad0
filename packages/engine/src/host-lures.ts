import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect } from 'vitest';

/**
 * What a hostile container would like to reach, for tests: a server on the loopback address, one on an abstract socket, and
 * a process. Each notices when it is touched. Nothing but loopback is ever aimed at.
 */
export async function setLures() {
  let touched = 0;
  const listen = async (where: { host: string; port: number } | { path: string }) => {
    const server = createServer((socket) => {
      touched += 1;
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\nREACHED');
    });
    server.listen(where);
    await once(server, 'listening');
    return server;
  };
  const abstract = `\0desp-lure-${process.pid}`;
  const loopback = await listen({ host: '127.0.0.1', port: 0 });
  const servers = [loopback, await listen({ path: abstract })];
  const { port } = loopback.address() as { port: number };
  const victim = spawn('sleep', ['3141.5'], { stdio: 'ignore' });
  /** A Node program, free of single quotes, that tries all three and says how each went. */
  const attempt = `const net=require("net"),fs=require("fs");
const ask=(name,to)=>new Promise(r=>{const s=net.connect(to);s.on("data",d=>{console.log(name,String(d));s.destroy();r()});s.on("error",e=>{console.log("TRIED",name,e.code);r()})});
try{process.kill(${victim.pid},"SIGKILL");console.log("KILLED")}catch(e){console.log("TRIED kill",e.code)}
const seen=fs.readdirSync("/proc").filter(p=>/^[0-9]+$/.test(p)).map(p=>{try{return fs.readFileSync("/proc/"+p+"/cmdline","utf8")}catch{return ""}}).join("|");
console.log("TRIED list",seen.includes(["3141","5"].join(".")));
ask("loopback",{host:"127.0.0.1",port:${port}}).then(()=>ask("abstract",{path:"\\0${abstract.slice(1)}"}))`.replaceAll('\n', ';');
  return {
    attempt,
    /** The attempts ran, and failed. */
    check(log: string) {
      expect(log).toMatch(/TRIED kill E(SRCH|PERM)/);
      expect(log).toContain('TRIED list false');
      expect(log).toContain('TRIED loopback ECONNREFUSED');
      expect(log).toContain('TRIED abstract ECONNREFUSED');
      expect(log).not.toMatch(/^(KILLED|loopback|abstract)/m);
      expect(touched).toBe(0);
      expect(victim.exitCode).toBeNull();
      expect(victim.signalCode).toBeNull();
    },
    remove() {
      for (const server of servers) server.close();
      victim.kill('SIGKILL');
    },
  };
}
