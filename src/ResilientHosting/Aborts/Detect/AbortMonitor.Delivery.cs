namespace ResilientHosting.Aborts;

/// <content>Delivery: what follows from an abort, once.</content>
internal sealed partial class AbortMonitor
{
    private void Deliver(ClientAbort abort)
    {
        // Not at the end of the request: what has ended cannot be cancelled, and is nobody's orphan.
        if (!_isEnding)
        {
            var orphan = abort.IsByClient ? Orphan(abort) : null;
            _work?.OnAborted(abort, orphan);
        }

        // Last, so that who waits for this token finds the work's token as the policy wants it.
        _abortDelivered = true;
        Interlocked.MemoryBarrier();
        if (_clientAborted is { } source)
        {
            source.CancelGuarded(_settings.Logger);
        }
    }

    private Orphan? Orphan(ClientAbort abort)
    {
        var orphan = new Orphan(_method, AbortRecorder.RouteOf(_endpoint), _client, _policy.Behavior, abort.At, _work);
        _settings.Orphans.Add(orphan);
        if (Interlocked.CompareExchange(ref _orphan, orphan, null) is null)
        {
            return orphan;
        }

        // The request has ended meanwhile, and found nothing to remove.
        _settings.Orphans.Remove(orphan);
        return null;
    }
}
