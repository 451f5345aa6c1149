using System.Data.Common;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using ResilientHosting.Resources;

namespace MinimalApi.Orders;

/// <summary>New orders as server-sent events. Who comes back after a break says what it saw last, and gets what it missed first.</summary>
internal static class OrderStream
{
    public static ServerSentEventsResult<Order?> Open(
        OrderFeed feed,
        IRequestResource<DbConnection> connection,
        CancellationToken cancellationToken,
        [FromHeader(Name = "Last-Event-ID")] Guid? lastSeen = null) =>
        TypedResults.ServerSentEvents(ReadAsync(feed, connection, lastSeen, cancellationToken));

    private static async IAsyncEnumerable<SseItem<Order?>> ReadAsync(
        OrderFeed feed,
        IRequestResource<DbConnection> connection,
        Guid? lastSeen,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // Subscribed before looking back: an order placed in between is sent twice, never lost; readers know it by its id.
        using var subscription = feed.Subscribe();
        yield return new SseItem<Order?>(null, "ready");

        if (lastSeen is { } id)
        {
            var db = await connection.GetAsync(cancellationToken);
            foreach (var missed in await db.ListOrdersSinceAsync(id, cancellationToken))
            {
                yield return ToEvent(missed);
            }

            // A stream may stay open for hours; it must not keep a connection for as long.
            await connection.ReleaseAsync();
        }

        await foreach (var order in subscription.ReadAllAsync(cancellationToken))
        {
            yield return ToEvent(order);
        }
    }

    private static SseItem<Order?> ToEvent(Order order) => new(order, "order") { EventId = order.Id.ToString() };
}
