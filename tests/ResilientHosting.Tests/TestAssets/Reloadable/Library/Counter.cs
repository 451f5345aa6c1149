using System.Threading;

namespace Library;

public static class Counter
{
    private static int _value;

    public static int Next() => Interlocked.Increment(ref _value);
}
