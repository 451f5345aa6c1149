using System.Collections.Concurrent;
using System.Threading.Channels;

namespace MinimalApi.Orders;

/// <summary>Tells everyone who listens about each new order. Every stream ends when the host stops, so that none holds it up.</summary>
internal sealed class OrderFeed(IHostApplicationLifetime lifetime)
{
    private readonly ConcurrentDictionary<Subscription, byte> _subscriptions = [];

    public void Publish(Order order)
    {
        foreach (var subscription in _subscriptions.Keys)
        {
            subscription.Offer(order);
        }
    }

    public Subscription Subscribe() => new(this, lifetime.ApplicationStopping);

    /// <summary>One listener. A listener that reads too slowly loses the oldest orders, never the server's memory.</summary>
    internal sealed class Subscription : IDisposable
    {
        private readonly Channel<Order> _orders =
            Channel.CreateBounded<Order>(new BoundedChannelOptions(100) { FullMode = BoundedChannelFullMode.DropOldest });

        private readonly OrderFeed _feed;
        private readonly CancellationTokenRegistration _stopping;

        public Subscription(OrderFeed feed, CancellationToken stopping)
        {
            _feed = feed;
            _feed._subscriptions.TryAdd(this, 0);
            _stopping = stopping.Register(() => _orders.Writer.TryComplete());
        }

        public IAsyncEnumerable<Order> ReadAllAsync(CancellationToken cancellationToken) => _orders.Reader.ReadAllAsync(cancellationToken);

        public void Dispose()
        {
            _stopping.Dispose();
            _feed._subscriptions.TryRemove(this, out _);
        }

        internal void Offer(Order order) => _orders.Writer.TryWrite(order);
    }
}
