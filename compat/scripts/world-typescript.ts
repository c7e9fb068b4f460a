// TypeScript as it is written for k6: types of parameters, enums, generics, access modifiers.
import http, { type RefinedParams, type ResponseType } from 'k6/http';
import { check } from 'k6';
import type { Options } from 'k6/options';

enum Role { Admin = 'admin', User = 'user' }
const enum Level { Low = 1, High = Low << 3 }

interface User<T extends string = string> { readonly name: T; role: Role; tags?: string[] }
type Reply = { method: string; json?: Partial<User> };

abstract class Session<T> {
  protected constructor(private readonly base: string, public user: User) {}
  abstract run(value: T): Reply;
  protected post<R>(path: string, body: unknown): R {
    const params: RefinedParams<ResponseType | undefined> = { headers: { 'Content-Type': 'application/json' } };
    return http.post(`${this.base}${path}`, JSON.stringify(body), params).json() as unknown as R;
  }
}

class Admin extends Session<number> {
  declare level: Level;
  constructor(base: string) { super(base, { name: 'ann', role: Role.Admin }); }
  override run(value: number): Reply { return this.post<Reply>('/post', { ...this.user, value } satisfies User & { value: number }); }
}

export const options: Options = { iterations: 1, thresholds: { checks: ['rate==1'] } };

export default function (): void {
  const admin = new Admin(__ENV.BASE!);
  const reply = admin.run(Level.High) as Reply;
  check(reply, { 'echoes the role': (r: Reply) => r.json?.role === Role.Admin });
  console.log(reply.json!.name, Object.values(Role).join(), Level.High, (<any>reply).json.value);
}
