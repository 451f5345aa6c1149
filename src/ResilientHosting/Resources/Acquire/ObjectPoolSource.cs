using Microsoft.Extensions.ObjectPool;

namespace ResilientHosting.Resources;

/// <summary>
/// Objects that are kept for reuse, as many as an <see cref="ObjectPool{T}"/> retains; it never makes anybody wait. The pool holds slots,
/// since its policies are synchronous and it does not say what it drops: an empty slot is filled by the factory, and a slot that is
/// disposed of is one the pool does not keep.
/// </summary>
internal sealed class ObjectPoolSource<T> : ResourceSource<T>
    where T : class
{
    private readonly IServiceProvider _services;
    private readonly ResourceDefinition<T> _definition;
    private readonly HostScope _host;
    private readonly ObjectPool<Slot> _pool;
    private readonly Owned _owned;
    private int _isOwned;

    public ObjectPoolSource(IServiceProvider services, ResourceDefinition<T> definition, int? maximumRetained)
    {
        _services = services;
        _definition = definition;
        _host = services.GetRequiredService<HostScope>();
        var provider = new DefaultObjectPoolProvider();
        provider.MaximumRetained = maximumRetained ?? provider.MaximumRetained;
        _pool = provider.Create(new Policy());
        _owned = new Owned(definition.Name, (IDisposable)_pool);
    }

    public override bool OutlivesScopes => true;

    public override bool TryAcquire(ResourceStack scope, out Lease<T> lease)
    {
        lease = default;
        if (_owned.IsClosed)
        {
            return false;
        }

        var slot = _pool.Get();
        if (slot.Value is null)
        {
            return false;
        }

        lease = new Lease<T>(slot.Value, slot);
        return true;
    }

    public override async ValueTask<Lease<T>> AcquireAsync(ResourceContext context, CancellationToken cancellationToken)
    {
        var lineage = Lineage.Extend(context.Lineage, this, _definition.Name);
        _host.ThrowIfClosed(_definition.Name);
        var created = await HostObject<T>.CreateAsync(_services, _definition, lineage, cancellationToken).ConfigureAwait(false);
        if (Interlocked.Exchange(ref _isOwned, 1) == 0 && !_host.TryOwn(_owned))
        {
            await _owned.CloseAsync(ScopeOutcomeKind.HostStopping).ConfigureAwait(false);
        }

        return new Lease<T>(created.Value, new Slot(_owned, created));
    }

    public override async ValueTask ReturnAsync(Lease<T> lease, TeardownContext context)
    {
        var slot = (Slot)lease.Ticket!;
        try
        {
            _pool.Return(slot);
        }
        catch
        {
            // TryReset has thrown: the pool has neither kept the slot nor disposed of it.
            await slot.DestroyAsync(ScopeOutcomeKind.Abandoned).ConfigureAwait(false);
            throw;
        }

        if (slot.IsDropped)
        {
            await slot.DestroyAsync(_owned.IsClosed ? ScopeOutcomeKind.HostStopping : ScopeOutcomeKind.Abandoned).ConfigureAwait(false);
        }
    }

    public override void Detach(Lease<T> lease) => ((Slot)lease.Ticket!).Detach(_host);

    /// <summary>Whether an object is kept is for itself to say.</summary>
    private sealed class Policy : IPooledObjectPolicy<Slot>
    {
        public Slot Create() => new(owned: null, created: null);

        public bool Return(Slot slot) => slot.Value is not IResettable resettable || resettable.TryReset();
    }

    private sealed class Slot(Owned? owned, HostObject<T>? created) : IDisposable
    {
        public T? Value { get; } = created?.Value;

        public bool IsDropped { get; private set; }

        public void Dispose()
        {
            IsDropped = true;
            owned?.OnDropped(this);
        }

        public ValueTask DestroyAsync(ScopeOutcomeKind kind) => created!.DestroyAsync(kind);

        public void Detach(HostScope host) => created!.Detach(host);
    }

    /// <summary>The pool as the host owns it. Disposing of it drops every slot it retains.</summary>
    private sealed class Owned(string name, IDisposable pool) : OwnedObject
    {
        private readonly Lock _gate = new();
        private List<Slot>? _retained;
        private bool _isClosed;

        public override string Name => name;

        public bool IsClosed => Volatile.Read(ref _isClosed);

        public void OnDropped(Slot slot)
        {
            lock (_gate)
            {
                _retained?.Add(slot);
            }
        }

        public override ValueTask ReturnAsync(TeardownContext context) => CloseAsync(context.Outcome.Kind);

        public async ValueTask CloseAsync(ScopeOutcomeKind kind)
        {
            foreach (var slot in Close())
            {
                await slot.DestroyAsync(kind).ConfigureAwait(false);
            }
        }

        private List<Slot> Close()
        {
            lock (_gate)
            {
                Volatile.Write(ref _isClosed, true);
                var retained = _retained = [];
                pool.Dispose();
                _retained = null;
                return retained;
            }
        }
    }
}
