namespace ResilientHosting.Aborts;

/// <summary>
/// The announcement that work runs in this process. It is renewed until it is disposed of; that takes it back, unless the work has
/// been completed.
/// </summary>
internal sealed class SharedLease : IAsyncDisposable
{
    private const int RenewalsPerLease = 3;

    private readonly string _entry;
    private readonly string _waitingEntry;
    private readonly SharedRecord _record;
    private readonly SharedStore _store;
    private readonly AdoptionOptions _options;
    private readonly CancellationTokenSource _ended = new();
    private readonly Task _renewal;
    private bool _isLost;
    private bool _isCompleted;

    public SharedLease(
        string entry, string waitingEntry, SharedRecord record, SharedStore store, AdoptionOptions options, TimeProvider clock)
    {
        _entry = entry;
        _waitingEntry = waitingEntry;
        _record = record;
        _store = store;
        _options = options;
        _renewal = RenewAsync(clock);
    }

    /// <summary>Ends the work with its result, which is kept where somebody misses it or waits for it on another machine.</summary>
    /// <returns>Whether the result is kept.</returns>
    public async Task<bool> CompleteAsync(CapturedResponse result, bool isMissed)
    {
        await EndRenewalAsync().ConfigureAwait(false);
        _isCompleted = true;
        if (_isLost)
        {
            return false;
        }

        var isAwaited = isMissed || (await _store.GetAsync(_waitingEntry).ConfigureAwait(false)).Record is not null;
        var end = isAwaited
            ? _record with { State = SharedState.Answered, Answer = result }
            : _record with { State = SharedState.Received };
        var expiresIn = isAwaited ? _options.ResultRetention : _options.LeaseDuration;
        return await _store.SetAsync(_entry, end, expiresIn).ConfigureAwait(false) && isAwaited;
    }

    public async ValueTask DisposeAsync()
    {
        await EndRenewalAsync().ConfigureAwait(false);
        if (!_isCompleted && !_isLost)
        {
            await _store.RemoveAsync(_entry).ConfigureAwait(false);
        }

        _ended.Dispose();
    }

    private async Task RenewAsync(TimeProvider clock)
    {
        while (true)
        {
            await Task.Delay(_options.LeaseDuration / RenewalsPerLease, clock, _ended.Token)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_ended.IsCancellationRequested)
            {
                return;
            }

            // Who came too late, after a pause of the whole process for example, leaves the work to its new owner.
            var (answered, record) = await _store.GetAsync(_entry).ConfigureAwait(false);
            if (record is not null && record.Owner != _record.Owner)
            {
                _isLost = true;
                return;
            }

            if (answered)
            {
                await _store.SetAsync(_entry, _record, _options.LeaseDuration).ConfigureAwait(false);
            }
        }
    }

    private async Task EndRenewalAsync()
    {
        await _ended.CancelAsync().ConfigureAwait(false);
        await _renewal.ConfigureAwait(false);
    }
}
