using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.ExceptionServices;

namespace ResilientHosting.Resources;

/// <summary>
/// One resource of one scope. Its states: nothing, an attempt in flight, an object, an early release in flight; every change happens under
/// the stack's gate, and no user code runs under it. There is never a second object before the first has been given back.
/// </summary>
internal sealed partial class RequestResource<T>(ResourceStack stack, ResourceDefinition<T> definition)
    : BoundResource(definition), IRequestResource<T>
    where T : class
{
    private readonly ResourceStack _stack = stack;
    private readonly ResourceDefinition<T> _definition = definition;
    private readonly ResourceEnvironment _environment = stack.Environment;
    private CreatedObject? _created;
    private Attempt? _attempt;
    private Task? _release;

    public bool IsCreated => Volatile.Read(ref _created) is not null;

    public ValueTask<T> GetAsync(CancellationToken cancellationToken = default) => GetAsync(requester: null, cancellationToken);

    /// <param name="requester">The attempt whose factory asks, if one does.</param>
    /// <param name="cancellationToken">Ends the caller's wait.</param>
    /// <exception cref="InvalidOperationException">The asking resource would outlive this one.</exception>
    public ValueTask<T> GetAsync(CreationAttempt? requester, CancellationToken cancellationToken)
    {
        if (requester is { EndsWithHandler: false } && _definition.EndsWithHandler && _stack.Lineage is null)
        {
            throw new InvalidOperationException(
                $"Resource {requester.Name} is torn down after the response, but its factory asked for {_definition.Name}, which is torn " +
                $"down before, after the handler. Register {requester.Name} with ReleaseAfterHandler() too, or {_definition.Name} without.");
        }

        return Volatile.Read(ref _created) is { } created ? new(created.Lease.Value) : WaitAsync(requester, cancellationToken);
    }

    public bool TryGet([NotNullWhen(true)] out T? resource)
    {
        resource = Volatile.Read(ref _created)?.Lease.Value;
        return resource is not null;
    }

    public ValueTask ReleaseAsync(Exception? exception = null)
    {
        TaskCompletionSource release;
        CreatedObject created;
        lock (_stack.Gate)
        {
            if (_created is null)
            {
                return _release is null ? ValueTask.CompletedTask : new ValueTask(_release);
            }

            created = _created;
            release = BeginRelease(created);
        }

        return ThrowIfFailedAsync(ReleaseAsync(created, release, new Teardown(_stack, _stack.OutcomeSoFar(exception))));

        static async ValueTask ThrowIfFailedAsync(ValueTask<Exception?> releasing)
        {
            if (await releasing.ConfigureAwait(false) is { } failure)
            {
                ExceptionDispatchInfo.Throw(failure);
            }
        }
    }

    public T Detach()
    {
        CreatedObject created;
        lock (_stack.Gate)
        {
            created = _created ?? throw new InvalidOperationException(
                $"Resource {_definition.Name} cannot be detached: scope '{_stack.Name}' has no object of it now. " +
                "Call GetAsync first, or check IsCreated.");
            _definition.Source.Detach(created.Lease);
            _stack.Remove(created);
        }

        if (!_definition.Source.OutlivesScopes)
        {
            _environment.Metrics.Detached(_definition.Name);
        }

        return created.Lease.Value;
    }

    private async ValueTask<T> WaitAsync(CreationAttempt? requester, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();

        Attempt? started = null;
        Attempt attempt;
        lock (_stack.Gate)
        {
            if (_created is { } created)
            {
                return created.Lease.Value;
            }

            if (_attempt is null)
            {
                _stack.ThrowIfClosed(_definition.Name);
                if (_release is null && TryTake(out var atHand))
                {
                    return atHand;
                }

                _attempt = started = new Attempt(this, _release);
                _stack.EnterAttempt(started);
            }

            attempt = _attempt;
            requester?.WaitFor(attempt);
        }

        try
        {
            if (started is not null && CreateAsync(started).IsCompleted)
            {
                return started.Result;
            }

            return await attempt.WhenEnded().WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            if (requester is not null)
            {
                lock (_stack.Gate)
                {
                    requester.StopWaitingFor(attempt);
                }
            }
        }
    }

    /// <summary>Takes what the source has at hand. Called under the gate.</summary>
    private bool TryTake([NotNullWhen(true)] out T? resource)
    {
        _stack.EnsureOpened();
        if (!_definition.Source.TryAcquire(_stack, out var lease))
        {
            resource = null;
            return false;
        }

        _created = new CreatedObject(this, lease);
        _stack.Push(_created);
        resource = lease.Value;
        return true;
    }

    /// <summary>Takes the object out of the scope, under the gate. The next one is not created before this release has ended.</summary>
    private TaskCompletionSource BeginRelease(CreatedObject created)
    {
        _stack.Remove(created);
        _stack.EnterRelease();
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _release = release.Task;
        return release;
    }

    private async ValueTask<Exception?> ReleaseAsync(CreatedObject created, TaskCompletionSource release, Teardown teardown)
    {
        var failure = await teardown.RunAsync(created).ConfigureAwait(false);
        lock (_stack.Gate)
        {
            _release = null;
            _stack.LeaveRelease();
        }

        if (failure is null)
        {
            release.SetResult();
        }
        else
        {
            // Observed here: perhaps nobody else waits for this release.
            release.SetException(failure);
            _ = release.Task.Exception;
        }

        return failure;
    }

    /// <summary>An object of this resource, owned by the scope until it leaves the stack.</summary>
    private sealed class CreatedObject(RequestResource<T> owner, Lease<T> lease) : OwnedObject
    {
        public Lease<T> Lease { get; } = lease;

        public override string Name => owner._definition.Name;

        public override bool IsExclusive => owner._definition.Source.IsExclusive;

        public override StackTrace? Acquirer => owner._definition.Source.GetAcquirer(Lease);

        public override bool EndsWithHandler => owner._definition.EndsWithHandler;

        public override TimeSpan? TeardownTimeout => owner._definition.TeardownTimeout;

        public override bool DetachesTeardown => owner._definition.DetachesTeardown;

        public override bool IsTornDown => !owner._definition.Source.OutlivesScopes;

        public override void OnRemoved() => Volatile.Write(ref owner._created, null);

        public override ValueTask ReturnAsync(TeardownContext context) => owner._definition.Source.ReturnAsync(Lease, context);

        public override ValueTask<Exception?> ReleaseAsync(Teardown teardown)
        {
            TaskCompletionSource release;
            lock (owner._stack.Gate)
            {
                if (owner._created != this)
                {
                    return default;
                }

                release = owner.BeginRelease(this);
            }

            return owner.ReleaseAsync(this, release, teardown);
        }

        public override void OnReturned(ScopeOutcomeKind outcome, TimeSpan? duration, Exception? failure)
        {
            if (IsTornDown)
            {
                owner._environment.Metrics.TornDown(Name, outcome, duration, failure);
            }
        }
    }
}
