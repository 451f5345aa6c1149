using System.Runtime.ExceptionServices;

namespace ResilientHosting.Resources;

/// <content>How an object comes into being: an attempt, which ends in an object of the scope, in one that comes too late, or in a failure.</content>
internal sealed partial class RequestResource<T>
{
    private TimeSpan CreateTimeout => _definition.CreateTimeout ?? _environment.Options.CreateTimeout;

    /// <summary>Runs the factory, on the thread of the caller that started the attempt until its first wait. Never throws.</summary>
    private async Task CreateAsync(Attempt attempt)
    {
        var context = new ResourceContext(_stack, attempt);
        Lease<T> lease;
        try
        {
            if (attempt.Predecessor is { } release)
            {
                await release.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                attempt.Token.ThrowIfCancellationRequested();
            }

            var acquiring = _definition.Source.AcquireAsync(context, attempt.Token);
            if (!acquiring.IsCompleted && !_definition.Source.OutlivesScopes)
            {
                attempt.StartTimeout(_environment.Time, CreateTimeout);
            }

            lease = await acquiring.ConfigureAwait(false);
            if (lease.Value is null)
            {
                throw new InvalidOperationException(
                    $"The factory of resource {_definition.Name} returned null. Return an object, or throw to say why there is none.");
            }
        }
#pragma warning disable CA1031 // Whatever the factory throws belongs to those who wait for it.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            await FailAsync(attempt, context, exception).ConfigureAwait(false);
            return;
        }

        var created = new CreatedObject(this, lease);
        if (!TryPublish(attempt, created))
        {
            await AbandonAsync(attempt, created).ConfigureAwait(false);
        }
    }

    /// <summary>Makes the object the scope's. False if it comes too late: its attempt has timed out or the scope is ending.</summary>
    private bool TryPublish(Attempt attempt, CreatedObject created)
    {
        if (!_definition.Source.OutlivesScopes)
        {
            _environment.Metrics.Created(_definition.Name);
        }

        lock (_stack.Gate)
        {
            attempt.Dispose();
            if (_attempt != attempt)
            {
                return false;
            }

            _attempt = null;
            if (_stack.IsClosed)
            {
                return false;
            }

            _created = created;
            _stack.Push(created);
            _stack.LeaveAttempt(attempt);
        }

        attempt.Succeed(created.Lease.Value);
        return true;
    }

    private async ValueTask AbandonAsync(Attempt attempt, CreatedObject late)
    {
        // Those who wait for a timed-out attempt know already.
        if (_stack.IsClosed)
        {
            attempt.Fail(_stack.ClosedException(_definition.Name));
        }

        // A closing scope waits for this, within its budget: what the object was made from must outlive it.
        var teardown = new Teardown(_stack, new ScopeOutcome(ScopeOutcomeKind.Abandoned));
        await teardown.RunAsync(late).ConfigureAwait(false);
        teardown.Report();
        ResourceLog.LateArrivalTornDown(_environment.Logger, _definition.Name, _stack.Name);
        Leave(attempt);
    }

    private async ValueTask FailAsync(Attempt attempt, ResourceContext context, Exception exception)
    {
        var teardown = new Teardown(_stack, new ScopeOutcome(ScopeOutcomeKind.Abandoned));
        while (context.TryTakeUnfinished(out var unfinished))
        {
            await teardown.RunAsync(new UnfinishedObject(_definition.Name, unfinished)).ConfigureAwait(false);
        }

        teardown.Report();
        lock (_stack.Gate)
        {
            attempt.Dispose();
            if (_attempt == attempt)
            {
                _attempt = null;
            }

            if (_stack.IsClosed && exception is OperationCanceledException)
            {
                exception = _stack.ClosedException(_definition.Name);
            }
        }

        ReportFailure(attempt, exception);
        Leave(attempt);
    }

    private void TimeOut(Attempt attempt)
    {
        lock (_stack.Gate)
        {
            if (_attempt != attempt)
            {
                return;
            }

            _attempt = null;
            attempt.Cancel();
            _stack.LeaveAttempt(attempt);
        }

        var knob = _definition.CreateTimeout is null ? "RequestResourceOptions.CreateTimeout" : "WithCreateTimeout";
        ReportFailure(attempt, new TimeoutException(
            $"Resource {_definition.Name} was not created within {CreateTimeout:c} in scope '{_stack.Name}'. Raise {knob} if its backend " +
            "is slow; if its factory waits for another resource, it must ask for it with ResourceContext.GetAsync."));
    }

    private void ReportFailure(Attempt attempt, Exception exception)
    {
        if (attempt.Fail(exception))
        {
            _environment.Metrics.CreationFailed(_definition.Name, exception);
            ResourceLog.CreationFailed(_environment.Logger, _definition.Name, _stack.Name, exception);
        }
    }

    private void Leave(Attempt attempt)
    {
        lock (_stack.Gate)
        {
            _stack.LeaveAttempt(attempt);
        }
    }

    private sealed class Attempt(RequestResource<T> owner, Task? predecessor) : CreationAttempt
    {
        private TaskCompletionSource<T>? _completion;
        private T? _result;
        private Exception? _failure;

        public override string Name => owner._definition.Name;

        public override bool EndsWithHandler => owner._definition.EndsWithHandler;

        /// <summary>The early release of the previous object, if it is still going on.</summary>
        public Task? Predecessor { get; } = predecessor;

        /// <summary>What came of an attempt that has ended: its object, or its exception, which is thrown.</summary>
        public T Result
        {
            get
            {
                if (_failure is not null)
                {
                    ExceptionDispatchInfo.Throw(_failure);
                }

                return _result!;
            }
        }

        /// <summary>For those who have to wait; an attempt that ends at once needs no task.</summary>
        public Task<T> WhenEnded()
        {
            lock (owner._stack.Gate)
            {
                if (_completion is null)
                {
                    // Continuations run elsewhere: whoever completes it must not run its waiters' code.
                    _completion = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
                    Complete();
                }

                return _completion.Task;
            }
        }

        public void Succeed(T result)
        {
            lock (owner._stack.Gate)
            {
                _result = result;
                Complete();
            }
        }

        /// <summary>Fails those who wait. False if the attempt had already ended.</summary>
        public bool Fail(Exception exception)
        {
            lock (owner._stack.Gate)
            {
                if (_failure is not null || _result is not null)
                {
                    return false;
                }

                _failure = exception;
                Complete();
                return true;
            }
        }

        protected override void OnTimeout() => owner.TimeOut(this);

        private void Complete()
        {
            if (_result is not null)
            {
                _completion?.SetResult(_result);
            }
            else if (_failure is not null && _completion is not null)
            {
                // Observed here: all callers may have stopped waiting, and the failure has been logged.
                _completion.SetException(_failure);
                _ = _completion.Task.Exception;
            }
        }
    }
}
