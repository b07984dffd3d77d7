// The cart story told by the unmodified Node SDK. Prints each message id once the SDK says it is delivered.
import { createRequire } from "node:module";

const { Analytics } = createRequire(process.env.SDK_FROM)("@segment/analytics-node");
const people = Number(process.env.PEOPLE);
const analytics = new Analytics({
  writeKey: process.env.KEY,
  host: process.env.HOST,
  flushAt: 7,
  flushInterval: 100,
  maxRetries: 50,
});
const told = (error, context) => {
  console.log(JSON.stringify({ id: context.event.messageId, error: error ? String(error) : null }));
};
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

for (let person = 0; person < people; person += 1) {
  const who = { anonymousId: `browser-${person}` };
  const userId = `node-${person}`;
  analytics.page({ ...who, name: "Home" }, told);
  analytics.track({ ...who, event: "Product Added", properties: { cart_id: `cart-${person}`, price: 18.99 } }, told);
  analytics.identify({ ...who, userId, traits: { email: `node-${person}@example.com` } }, told);
  analytics.track({ userId, event: "Order Completed", properties: { total: 18.99 } }, told);
  await pause(20);
}
await analytics.closeAndFlush({ timeout: 90000 });
