
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_store_script.h"

#include <ngx_sha1.h>


/*
 * All times of budgets are in us of the store's clock: a double has room for
 * them.  Redis before 7 writes after TIME only if it replicates effects.
 */

#define WAG_STORE_SCRIPT_HEAD                                                 \
    "if redis.replicate_commands then redis.replicate_commands() end\n"       \
    "local call=redis.call\n"                                                 \
    "local function int(x) return string.format('%.0f',x) end\n"              \
    "local function num(x) return tonumber(x or 0) end\n"


/*
 * KEYS: store, mark or '', then of each number its budget and that with the
 * recipient, or ''.  ARGV: marker, prefix of holders, holder, token, request,
 * ttl, "claim" or "look", wait, interval and size of number and recipient,
 * day's limit, shift of the day, ms after which nothing matters, jitter, ms
 * that a mark in flight stays longer, ms until when it may be claimed: what
 * the network brings later has been given up.
 *
 * The arithmetic is that of wag_bucket.c.
 */

static ngx_str_t  wag_store_script_claim_text = ngx_string(
    WAG_STORE_SCRIPT_HEAD
    "local t=call('TIME')\n"
    "local now=t[1]*1000000+t[2]\n"
    "local m=call('HMGET',KEYS[1],'id','from','lost')\n"
    "if m[1]~=ARGV[1] or num(m[2])*1000>now or ARGV[18]*1000<now\n"
    "  or (m[3] and (m[3]+ARGV[15])*1000>now) then return {'away'} end\n"
    "if KEYS[2]~='' then\n"
    "  local k=call('HMGET',KEYS[2],'r','s','h','c','a')\n"
    "  if k[1] then\n"
    "    if k[1]~=ARGV[5] then return {'reused'} end\n"
    "    local s=k[2]\n"
    "    if s=='flight' then\n"
    "      if call('EXISTS',ARGV[2]..k[3])==1 then return {s} end\n"
    "      s='unknown'\n"
    "    end\n"
    "    return {s,num(k[4]),k[5] or ''}\n"
    "  end\n"
    "end\n"
    "if ARGV[7]=='look' then return {'none'} end\n"
    "local wait,ni,ns,ri,rs=num(ARGV[8]),num(ARGV[9]),num(ARGV[10]),"
    "num(ARGV[11]),num(ARGV[12])\n"
    "local limit,shift,jitter=num(ARGV[13]),num(ARGV[14]),num(ARGV[16])\n"
    "local length=86400000000\n"
    "local today=math.floor((math.floor(now/1000000)+shift)/86400)\n"
    "local tomorrow=((today+1)*86400-shift)*1000000\n"
    "local function start(d) return tomorrow+(d-today-1)*length end\n"
    "local function dayof(at) return at<tomorrow and today"
    " or today+1+math.floor((at-tomorrow)/length) end\n"
    "local function daily(e,at)\n"
    "  local d=dayof(at)\n"
    "  if d<e.d then at,d=start(e.d),e.d end\n"
    "  return (d==e.d and e.n>=limit) and start(d+1) or at\n"
    "end\n"
    "local function get(key)\n"
    "  local b=call('HMGET',key,'f','l','q','b','d','n')\n"
    "  local e={key=key,f=num(b[1]),l=num(b[2]),q=num(b[3]),b=num(b[4]),"
    "d=num(b[5]),n=num(b[6])}\n"
    "  if limit>0 then\n"
    "    if e.d<today then e.d,e.n=today,0\n"
    "    elseif e.d>today+1 then e.d=today end\n"
    "  end\n"
    "  return e\n"
    "end\n"
    "local function late(e,at,i,s)\n"
    "  return math.max(at,e.f-(s-1)*i)\n"
    "end\n"
    "local best,which,why,e,g\n"
    "for i=1,(#KEYS-2)/2 do\n"
    "  local n=get(KEYS[2*i+1])\n"
    "  local at,w,r=now,0,nil\n"
    "  if ni>0 then at=late(n,at,ni,ns) end\n"
    "  if KEYS[2*i+2]~='' then\n"
    "    r=get(KEYS[2*i+2])\n"
    "    local x=late(r,at,ri,rs)\n"
    "    if x>at then at,w=x,1 end\n"
    "  end\n"
    "  if limit>0 then\n"
    "    local x=daily(n,at)\n"
    "    if x>at then at,w=x,2 end\n"
    "  end\n"
    "  if not best or at<best then best,which,why,e,g=at,i,w,n,r end\n"
    "  if best<=now then break end\n"
    "end\n"
    "local word,serial='paced',0\n"
    "if not best or best<=now+wait then\n"
    "  word,serial='none',call('HINCRBY',KEYS[1],'serial',1)\n"
    "  if KEYS[2]~='' then\n"
    "    call('HSET',KEYS[2],'r',ARGV[5],'s','flight','h',ARGV[3],"
    "'t',ARGV[4])\n"
    "    call('PEXPIRE',KEYS[2],int(ARGV[6]+ARGV[17]))\n"
    "  end\n"
    "end\n"
    "if not best then return {word,serial} end\n"
    "local function put(e,i,at)\n"
    "  if i>0 then e.f,e.l=math.max(e.f,at)+i,math.max(e.l,at) end\n"
    "  e.q=e.q+1\n"
    "  if e.b==0 then e.b=serial end\n"
    "  local gone=math.max(e.f,limit>0 and start(e.d+1) or 0)\n"
    "  call('HSET',e.key,'f',int(e.f),'l',int(e.l),'q',int(e.q),"
    "'b',int(e.b),'d',int(e.d),'n',int(e.n))\n"
    "  call('PEXPIRE',e.key,int(math.max(gone-now,0)/1000+1000))\n"
    "end\n"
    "if word=='none' then\n"
    "  if best>now and jitter>0 then\n"
    "    best=best+jitter\n"
    "    if limit>0 then best=daily(e,best) end\n"
    "  end\n"
    "  if limit>0 then\n"
    "    local d=dayof(best)\n"
    "    if d>e.d then e.d,e.n=d,0 end\n"
    "    e.n=e.n+1\n"
    "  end\n"
    "  put(e,ni,best)\n"
    "  if g then put(g,ri,best) end\n"
    "end\n"
    "return {word,serial,which,best-now,why,e.q,e.b,e.d,g and g.q or 0,"
    "g and g.b or 0,math.max(e.f-now,0),g and math.max(g.f-now,0) or 0,"
    "e.d==today and e.n or 0,tomorrow-now}\n");


/*
 * KEYS: mark or '', budget or '', that with the recipient or ''.  ARGV: token,
 * "answered", "unknown" or "none", status, answer, ttl, interval of number,
 * its token and birth, 1 if days are limited, the day, interval of recipient,
 * its token and birth.
 */

static ngx_str_t  wag_store_script_end_text = ngx_string(
    WAG_STORE_SCRIPT_HEAD
    "if KEYS[1]~='' and call('HGET',KEYS[1],'t')==ARGV[1] then\n"
    "  if ARGV[2]=='none' then call('DEL',KEYS[1])\n"
    "  else\n"
    "    call('HSET',KEYS[1],'s',ARGV[2],'c',ARGV[3])\n"
    "    if ARGV[4]~='' then call('HSET',KEYS[1],'a',ARGV[4]) end\n"
    "    call('PEXPIRE',KEYS[1],ARGV[5])\n"
    "  end\n"
    "end\n"
    "local function back(key,i,seq,birth,days,day)\n"
    "  local b=call('HMGET',key,'f','l','q','b','d','n')\n"
    "  if b[4]~=birth then return end\n"
    "  if i>0 then\n"
    "    local f,n=num(b[1]),num(b[3])-seq\n"
    "    local early=f-math.min(i,f)\n"
    "    if n==0 then f=early\n"
    "    else\n"
    "      local since=b[2]+n*i\n"
    "      if since<f then f=math.max(early,since) end\n"
    "    end\n"
    "    call('HSET',key,'f',int(f))\n"
    "  end\n"
    "  if days and b[5]==day and num(b[6])>0 then\n"
    "    call('HINCRBY',key,'n',-1)\n"
    "  end\n"
    "end\n"
    "if KEYS[2]~='' then back(KEYS[2],num(ARGV[6]),num(ARGV[7]),ARGV[8],"
    "ARGV[9]=='1',ARGV[10]) end\n"
    "if KEYS[3]~='' then back(KEYS[3],num(ARGV[11]),num(ARGV[12]),ARGV[13]) "
    "end\n"
    "return {'done'}\n");


/*
 * KEYS: store, this holder.  ARGV: marker that is known or '', least serial,
 * run, marker of a new one, ms to settle, ms of the lease, ms after which
 * nothing matters.
 *
 * Who knows a marker and finds none, or another, or fewer claims than it was
 * told of, tells all others so: what was acknowledged is gone.  After a
 * restart all gateways have time to look before one of them claims.
 */

static ngx_str_t  wag_store_script_meet_text = ngx_string(
    WAG_STORE_SCRIPT_HEAD
    "local t=call('TIME')\n"
    "local now=t[1]*1000+math.floor(t[2]/1000)\n"
    "local m=call('HMGET',KEYS[1],'id','serial','run','from','lost')\n"
    "local id,serial,from,lost=m[1],num(m[2]),num(m[4]),m[5]\n"
    "if not id then\n"
    "  id,serial=ARGV[4],0\n"
    "  call('HSET',KEYS[1],'id',id,'serial',0)\n"
    "end\n"
    "if ARGV[1]~='' and not lost and (id~=ARGV[1] or serial<num(ARGV[2])) "
    "then\n"
    "  lost=int(now)\n"
    "  call('HSET',KEYS[1],'lost',lost)\n"
    "end\n"
    "if m[3]~=ARGV[3] then\n"
    "  if m[3] then\n"
    "    from=now+ARGV[5]\n"
    "    call('HSET',KEYS[1],'from',int(from))\n"
    "  end\n"
    "  call('HSET',KEYS[1],'run',ARGV[3])\n"
    "end\n"
    "call('SET',KEYS[2],1,'PX',ARGV[6])\n"
    "local word='ready'\n"
    "if lost and lost+ARGV[7]>now then word='lost'\n"
    "elseif from>now then word='settling' end\n"
    "return {word,id,serial,now}\n");


static ngx_str_t  *wag_store_script_texts[WAG_STORE_SCRIPTS] = {
    &wag_store_script_claim_text,
    &wag_store_script_end_text,
    &wag_store_script_meet_text
};


ngx_str_t  wag_store_script_words[] = {
    ngx_string("none"),
    ngx_string("flight"),
    ngx_string("answered"),
    ngx_string("unknown"),
    ngx_string("reused"),
    ngx_string("paced"),
    ngx_string("away"),
    ngx_null_string
};


ngx_str_t *
wag_store_script_text(ngx_uint_t n)
{
    return wag_store_script_texts[n];
}


void
wag_store_script_sha1(ngx_uint_t n, u_char *hex)
{
    u_char       hash[WAG_STORE_SHA1_LEN / 2];
    ngx_str_t   *text;
    ngx_sha1_t   sha1;

    text = wag_store_script_texts[n];

    ngx_sha1_init(&sha1);
    ngx_sha1_update(&sha1, text->data, text->len);
    ngx_sha1_final(hash, &sha1);

    ngx_hex_dump(hex, hash, sizeof(hash));
}
